import Accounting
import Foundation
import Glibc
import Testing
import UsageTestKit

@testable import Tracking

/// What a tracked file and a tracked directory cost, in bytes that are allocated; the figures are printed.
///
/// Each is measured in a process of its own, for other tests allocate meanwhile.
@Suite("Memory of tracking", .serialized)
struct MemoryTests {
    private static let isLong = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil
    /// A million files in all in the long form.
    private static let files = isLong ? 1_000_000 : 40_000
    private static let layers = 4

    @Test("in directories of ten files a file costs at most 96 bytes and a directory 400")
    func smallDirectories() async throws {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            try await MemoryTests.measure(filesOfDirectory: 10)
        }
        print(String(decoding: result.standardOutputContent, as: UTF8.self))
    }

    @Test("in directories of fifty files a file costs at most 96 bytes and a directory 400")
    func largerDirectories() async throws {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardOutputContent]
        ) {
            try await MemoryTests.measure(filesOfDirectory: 50)
        }
        print(String(decoding: result.standardOutputContent, as: UTF8.self))
    }

    private static func measure(filesOfDirectory: Int) async throws {
        let directories = files / filesOfDirectory
        let scratch = try ScratchDirectory("memory")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        let sink = LastReports()
        let service = try TrackingService(
            options: TrackingOptions(shards: 2, inodeLimit: 4 * files * 2), sink: sink)
        service.start()
        defer { service.stop() }
        let store = StoreIdentity(engine: "test", driver: "directory", root: scratch.path)
        let keys = (0..<layers).map { LayerKey(store: store, id: String($0)) }
        for key in keys {
            try FileManager.default.createDirectory(
                atPath: scratch.path + "/" + key.id, withIntermediateDirectories: false)
        }

        /// A busy machine may lose events, and looks at everything then.
        func settle() async throws {
            try await wait(until: "all layers to be exact", deadline: .seconds(300)) {
                await service.barrier(seconds: 120) == []
            }
        }
        for key in keys { service.track(key, directory: scratch.path + "/" + key.id) }
        try await settle()

        // The layers themselves are there: what follows is the directories' alone.
        let before = AllocatedMemory.bytes
        for layer in keys {
            for index in 0..<(directories / layers) {
                try #require(mkdir(scratch.path + "/\(layer.id)/directory-\(index)", 0o700) == 0)
            }
        }
        try await settle()
        // What batches held goes with the next.
        try await settle()
        let withDirectories = AllocatedMemory.bytes

        for layer in keys {
            for index in 0..<(directories / layers) {
                for file in 0..<filesOfDirectory {
                    let path = scratch.path + "/\(layer.id)/directory-\(index)/some-file-\(file)"
                    let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
                    try #require(descriptor >= 0)
                    close(descriptor)
                }
            }
        }
        try await settle()
        try await settle()
        let withFiles = AllocatedMemory.bytes
        for key in keys {
            let walk = try FullWalk(walking: scratch.path + "/" + key.id)
            #expect(sink.measure(key)?.inodes == walk.inodes)
        }

        let perDirectory = (withDirectories - before) / directories
        let perFile = (withFiles - withDirectories) / files
        print(
            "memory: \(perFile) bytes for each of \(files) files, \(perDirectory) for each of "
                + "\(directories) directories")
        #expect(perFile <= 96)
        #expect(perDirectory <= 400)
    }
}
