internal import Foundation
internal import Glibc
internal import Synchronization
public import Wire

/// The built `usaged`, with its configuration, socket, state and log below a directory of its own.
public final class UsagedProcess: Sendable {
    public let directory: ScratchDirectory
    public let arguments: [String]
    /// Variables beside those of the test.
    public let environment: [String: String]
    private let child = Mutex<ChildProcess?>(nil)

    public var socket: String { directory("usaged.sock") }
    public var stateDirectory: String { directory("state") }
    /// Everything that it said, over all its runs.
    public var log: String {
        (try? String(contentsOfFile: directory("usaged.log"), encoding: .utf8)) ?? ""
    }
    public var processID: Int32? { child.withLock { $0 }?.processID }
    /// Asks it through the built client.
    public var query: UsageQuery { UsageQuery(socket: socket) }

    /// The path of an executable of this package, built beside the test bundle.
    public static func executable(_ name: String) throws -> String {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // Tests may also be run by a helper that lives with the tool chain.
        let candidates =
            [URL(fileURLWithPath: bundle).deletingLastPathComponent().path]
            + CommandLine.arguments.filter { $0.contains(".xctest") }
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
            + ["\(BaseRoot.package)/.build/debug"]
        guard
            let path = candidates.map({ "\($0)/\(name)" }).first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else { throw WaitFailure(description: "\(name) is not built; looked in \(candidates)") }
        return path
    }

    /// Starts a daemon on `stores`, each `KIND=PATH`, and waits until it has looked at every one.
    ///
    /// `launcher` is a command that takes the daemon's arguments behind its own and becomes the daemon.
    public static func start(
        stores: [String], configuration: String = "", environment: [String: String] = [:],
        launcher: [String] = [], deadline: Duration = .seconds(60)
    ) async throws -> UsagedProcess {
        let process = try UsagedProcess(
            stores: stores, configuration: configuration, environment: environment, launcher: launcher)
        do {
            try await process.start(deadline: deadline)
        } catch {
            let said = process.log
            try? await process.remove()
            throw WaitFailure(description: "\(error)\nusaged said:\n\(said.suffix(4000))")
        }
        return process
    }

    private init(
        stores: [String], configuration: String, environment: [String: String], launcher: [String]
    ) throws {
        self.environment = environment
        let executable = try Self.executable("usaged")
        directory = try ScratchDirectory("daemon")
        let file = try directory.write(configuration, to: "usaged.yaml")
        try directory.directory("state")
        arguments =
            launcher + [
                executable, "--config", file, "--socket", directory("usaged.sock"),
                "--state", directory("state"),
            ] + stores.flatMap { ["--store", $0] }
    }

    /// Starts it, again after ``kill()`` or ``terminate()``, and waits until it has looked at every store.
    public func start(deadline: Duration = .seconds(60)) async throws {
        guard processID == nil else { return }
        let process = try await ChildProcess.start(
            arguments, environment: environment, output: .file(directory("usaged.log")),
            error: .file(directory("usaged.log")),
            diesWithParent: true)
        child.withLock { $0 = process }
        let up = try await wait(for: "usaged to look at every store", deadline: deadline) {
            if process.exit != nil { return false }
            return try await health().status == "ok" ? true : nil
        }
        guard up else {
            throw WaitFailure(description: "usaged ended with status \(process.exit?.status ?? -1)")
        }
    }

    /// Sends SIGTERM and returns its exit status.
    @discardableResult
    public func terminate(deadline: Duration = .seconds(15)) async throws -> Int32 {
        guard let process = child.withLock({ $0 }) else { return 0 }
        process.signal(SIGTERM)
        return try await process.ended(within: deadline).status
    }

    /// Sends a signal that does not end it, for example SIGHUP.
    public func signal(_ number: Int32) {
        child.withLock { $0 }?.signal(number)
    }

    /// Sends SIGKILL and waits for its end.
    public func kill() async throws {
        guard let process = child.withLock({ $0 }) else { return }
        process.signal(SIGKILL, group: true)
        try await process.ended(within: .seconds(10))
    }

    /// Ends it and removes its directory.
    public func remove() async throws {
        try await kill()
        try await directory.remove()
    }

    /// `GET /healthz`.
    public func health() async throws -> Health {
        try await query.get(Health.self, "healthz")
    }

    /// Bytes of memory that it holds now, of the process's `VmRSS`.
    public func residentBytes() throws -> Int64 {
        guard let pid = processID else { return 0 }
        let status = try ProcessFile.text("/proc/\(pid)/status")
        return (ProcessFile.number("VmRSS", in: status) ?? 0) * 1024
    }
}
