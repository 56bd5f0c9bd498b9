import Accounting
import Glibc
import Synchronization
import Tracking
import UsageTestKit

/// What a tracked file and a tracked directory take in the daemon's heap.
struct MemoryMeasurement {
    private struct Reports: TrackingSink {
        func take(_ report: LayerReport) {}
    }

    let files: Int
    let directories: Int

    /// Bytes for each file and each directory; the tree is made below a directory.
    func run(below root: String) async throws -> (file: Double, directory: Double) {
        let service = try TrackingService(
            options: TrackingOptions(shards: 2, inodeLimit: 4 * (files + directories)), sink: Reports())
        service.start()
        defer { service.stop() }
        let upper = root + "/upper"
        try Tree.makeDirectory(upper)
        let key = LayerKey(
            store: StoreIdentity(engine: "bench", driver: "directory", root: root), id: "upper")
        for index in 0..<directories { try Tree.makeDirectory("\(upper)/directory-\(index)") }
        let before = AllocatedMemory.bytes
        service.track(key, directory: upper)
        try await settle(service)
        let withDirectories = AllocatedMemory.bytes
        for index in 0..<directories {
            for file in 0..<(files / directories) {
                try Tree.write("\(upper)/directory-\(index)/some-file-\(file)", [])
            }
        }
        try await settle(service)
        let withFiles = AllocatedMemory.bytes
        return (
            Double(withFiles - withDirectories) / Double(files),
            Double(withDirectories - before) / Double(directories)
        )
    }

    /// Twice: what batches held goes with the next.
    private func settle(_ service: TrackingService) async throws {
        for _ in 0..<2 {
            let open = await service.barrier(deadlineMilliseconds: 300_000)
            guard open == [] else { throw WaitFailure(description: "the tree is not settled after 300 s") }
        }
    }
}
