import Accounting
import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Tracking

/// A layer that the service follows for a test, plain or the upper directory of an overlay.
final class FollowedLayer: Sendable {
    /// The layer's directory.
    let path: String
    /// Where the work is done: the layer's directory, or the mounted overlay.
    let root: String
    let mount: FilledOverlay?
    let reports = PausableReports()
    let service: TrackingService
    private let fileSystem: LoopFileSystem?
    private let scratch: ScratchDirectory?

    static let key = LayerKey(
        store: StoreIdentity(engine: "test", driver: "directory", root: "/"), id: "w")

    /// A directory beside the layer's, on the same file system.
    var outside: String { path + "/../outside" }

    /// Follows a new layer while `body` runs.
    ///
    /// It lies on a file system of its own where a kind is given; else where scratch files are. `prepare` gets the
    /// layer before it is followed.
    static func with(
        _ way: Configuration.Way = .plain, on kind: LoopFileSystem.Kind? = nil,
        options: TrackingOptions = TrackingOptions(auditSeconds: 3_600),
        openInotify: @escaping @Sendable () throws(KernelError) -> Inotify = Inotify.init,
        prepare: (FollowedLayer) throws -> Void = { _ in }, _ body: (FollowedLayer) async throws -> Void
    ) async throws {
        if let obstacle = kind?.obstacle { try Test.cancel("\(obstacle)") }
        if way != .plain, geteuid() != 0 { try Test.cancel("mounting an overlay needs root") }
        let fileSystem = if let kind { try await LoopFileSystem.make(kind) } else { LoopFileSystem?.none }
        let scratch = fileSystem == nil ? try ScratchDirectory("layer") : nil
        guard let directory = fileSystem?.path ?? scratch?.path else { return }
        let mount =
            way == .plain ? nil : try await FilledOverlay.make(in: directory, options: way.options)
        do {
            let layer = try FollowedLayer(directory, mount, fileSystem, scratch, options, openInotify)
            try prepare(layer)
            layer.service.start()
            defer {
                layer.reports.resume()
                layer.service.stop()
            }
            layer.service.track(key, directory: layer.path)
            try await body(layer)
        } catch {
            try? await mount?.unmount()
            try? await fileSystem?.remove()
            try? await scratch?.remove()
            throw error
        }
        try await mount?.unmount()
        try await fileSystem?.remove()
        try await scratch?.remove()
    }

    private init(
        _ directory: String, _ mount: FilledOverlay?, _ fileSystem: LoopFileSystem?,
        _ scratch: ScratchDirectory?, _ options: TrackingOptions,
        _ openInotify: @escaping @Sendable () throws(KernelError) -> Inotify
    ) throws {
        self.mount = mount
        self.fileSystem = fileSystem
        self.scratch = scratch
        path = mount?.upper ?? directory + "/layer"
        root = mount?.merged ?? path
        service = try TrackingService(options: options, sink: reports, openInotify: openInotify)
        for name in [path, path + "/../outside"] {
            try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
        }
    }

    /// Has everything written back.
    func sync() throws { try fileSystem?.sync() }

    /// Compares with a walk when all is quiet.
    func compare(
        _ what: String = "", isWrittenBack: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let (figure, truth) = try await service.compare(
            Self.key, with: path, deadline: .seconds(120),
            prepare: { if isWrittenBack { try self.sync() } }, figure: reports.measure)
        #expect(figure == truth, "\(what)", sourceLocation: sourceLocation)
    }

    /// Waits until the service knows the layer, so that what follows is told by events.
    func settle() async throws {
        try await wait(until: "an exact figure", deadline: .seconds(60)) {
            await service.barrier() == []
        }
    }

    /// Runs a shell script in the place of work.
    func sh(_ script: String) async throws {
        try await Command.output(["sh", "-ec", "cd \"$1\"; \(script)", "sh", root], deadline: .seconds(120))
    }
}
