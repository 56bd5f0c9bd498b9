import Testing
import UsageTestKit
import Wire

/// What a daemon told before, during and after the build of the post, and what the engine and `df` said.
struct PostRecord: Sendable {
    let engine: DockerEngine
    let daemon: UsagedProcess
    /// `df` before and after the build.
    let used: (before: Int64, after: Int64)
    let before: Status
    let after: Status
    /// `since before`, at once and after the build.
    let atMark: Since
    let since: Since
    /// The directories of the base image's layers and of the built image's, the lowest first.
    let directories: (base: [String], image: [String])

    static func make(in world: EngineWorld) async throws -> PostRecord {
        let engine = try await world.engineWithBase()
        let daemon = try await world.daemon()
        let query = daemon.query
        try await DiskUsage.sync(engine.dataRoot)
        let before = try await query.exactStatus()
        let usedBefore = try await DiskUsage.used(engine.dataRoot)
        let marked = try await query.client(MarkSet.self, "mark", "before")
        #expect(marked.mark == "before")
        let atMark = try await query.client(Since.self, "since", "before")

        let id = try await world.buildZigiweb()
        try await wait(until: "the built image in the status") {
            try await query.status().images.contains {
                $0.id == id && $0.names.contains(EngineWorld.zigiweb)
            }
        }
        try await DiskUsage.sync(engine.dataRoot)
        let after = try await query.exactStatus()
        return PostRecord(
            engine: engine, daemon: daemon,
            used: (usedBefore, try await DiskUsage.used(engine.dataRoot)), before: before, after: after,
            atMark: atMark, since: try await query.client(Since.self, "since", "before"),
            directories: (
                try await engine.layerDirectories(of: EngineWorld.base),
                try await engine.layerDirectories(of: EngineWorld.zigiweb)
            ))
    }

    func image(_ reference: String) async throws -> ImageDetail {
        try await daemon.query.client(ImageDetail.self, "inspect", "--type", "image", reference)
    }
}
