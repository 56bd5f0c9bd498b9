import Foundation
import Testing
import UsageTestKit
import Wire

/// A plain store with a container of many directories and one of few, and the rules that they break at once.
struct PlainWorld {
    static let configuration = """
        tracking:
          polling_interval: 1s
        alerts:
          - name: large
            kind: size
            limit: 1MB
          - name: fast
            kind: growth
            window: 1h
            limit: 2MB

        """

    /// With ``addDirectories(_:)`` there are more directories than these watches.
    static let smallWatchBudget = configuration.replacing(
        "tracking:\n", with: "tracking:\n  watch_budget: 64\n")

    let root: String
    static let manyDirectories = 20
    /// Those of both containers, and the store's own.
    static let allDirectories = manyDirectories + 1 + 2 + 1

    init(_ scratch: ScratchDirectory, _ name: String = "store") throws {
        root = try scratch.directory(name)
        try scratch.directory("\(name)/many")
        try scratch.directory("\(name)/few")
        try scratch.directory("\(name)/few/sub")
        for index in 0..<Self.manyDirectories { try scratch.directory("\(name)/many/\(index)") }
        try write(10_000, to: "many/7/data")
        try write(20_000, to: "few/sub/data")
    }

    /// Makes that many more directories in the container of many; returns their paths.
    @discardableResult
    func addDirectories(_ count: Int) throws -> [String] {
        let paths = (0..<count).map { "\(root)/many/more\($0)" }
        for path in paths {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        return paths
    }

    func write(_ bytes: Int, to file: String) throws {
        try PlainStore.write(bytes, to: "\(root)/\(file)")
    }

    /// Checks that each container's figures are those of a walk.
    func expectTruth(_ status: Status, _ place: SourceLocation = #_sourceLocation) async throws {
        try await PlainStore.expectTruth(status, below: root, place)
    }

    /// Waits for an answer by which the container is polled, for a reason with this text in it.
    func polled(
        _ name: String, because reason: String, _ daemon: UsagedProcess
    ) async throws -> Status {
        try await wait(for: "\(name) to be polled", deadline: .seconds(20)) {
            let status = try await daemon.query.status()
            let container = status.container(named: name)
            guard container?.state == .polling, container?.reason?.contains(reason) == true,
                status.sources.first?.state == .polling,
                status.sources.first?.reason?.contains(reason) == true
            else { throw DaemonFailure(description: "\(status.reasons), \(container as Any)") }
            #expect(!status.exact)
            return status
        }
    }

    /// Has the container break both rules, and waits until they fire and it is polled still.
    func alert(_ name: String, because reason: String, _ daemon: UsagedProcess) async throws {
        // What is there at the first look is no growth.
        _ = try await polled(name, because: reason, daemon)
        try write(3_000_000, to: "\(name)/spill")
        try await wait(until: "both alerts of \(name)", deadline: .seconds(20)) {
            Set(try await daemon.query.status().alerts.filter { $0.container == name }.map(\.rule))
                == ["large", "fast"]
        }
        try await expectTruth(polled(name, because: reason, daemon))
    }
}
