import Foundation
import Testing
import UsageTestKit

@testable import Daemon

@Suite("Watches of metadata whose directories move")
struct MetadataWatchTests {
    private static func watch(_ scratch: ScratchDirectory) throws -> (MetadataWatch, paths: [String]) {
        let watch = MetadataWatch()
        let paths = ["above/root", "above/root/a", "above/root/a/b"].map { scratch($0) }
        for path in paths {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        #expect(watch.watch(paths))
        // The first look makes sure of each, those after it rely on events.
        #expect(!watch.forgetMoved() && !watch.forgetMoved())
        #expect(watch.count == 3)
        return (watch, paths)
    }

    @Test("a directory above all of them that is renamed, which no event tells, takes all along")
    func above() async throws {
        try await withScratch { scratch in
            let (watch, paths) = try Self.watch(scratch)
            try #require(rename(scratch("above"), scratch("aside")) == 0)
            #expect(!watch.drain())
            while watch.forgetMoved() {}
            #expect(watch.count == 0)
            try #require(rename(scratch("aside"), scratch("above")) == 0)
            #expect(watch.watch(paths))
            #expect(watch.count == 3)
        }
    }

    @Test("another directory in the place of one of them is watched, and so are those in it")
    func replaced() async throws {
        try await withScratch { scratch in
            let (watch, paths) = try Self.watch(scratch)
            try #require(rename(scratch("above/root/a"), scratch("aside")) == 0)
            try FileManager.default.createDirectory(atPath: paths[2], withIntermediateDirectories: true)
            // As a store's thread does: events, then metadata, and now and then a look at the paths.
            #expect(watch.drain())
            _ = watch.watch(paths)
            while watch.forgetMoved() { _ = watch.watch(paths) }
            _ = watch.drain()
            try scratch.write("x", to: "above/root/a/b/file")
            #expect(watch.drain(), "a change in the new directory")
            try scratch.write("x", to: "aside/b/file")
            #expect(!watch.drain(), "a change in the one that went aside")
        }
    }

    @Test("a directory that is held open while another takes its place is not mistaken for that")
    func removedWhileOpen() async throws {
        try await withScratch { scratch in
            let (watch, paths) = try Self.watch(scratch)
            let open = try FileHandle(forReadingFrom: URL(filePath: paths[2]))
            defer { try? open.close() }
            try FileManager.default.removeItem(atPath: paths[2])
            try scratch.directory("above/root/a/b")
            #expect(watch.drain())
            #expect(watch.forgetMoved())
            #expect(watch.watch(paths))
            _ = watch.drain()
            try scratch.write("x", to: "above/root/a/b/file")
            #expect(watch.drain())
        }
    }

    @Test("one of them that is renamed tells it, and takes those below along")
    func between() async throws {
        try await withScratch { scratch in
            let (watch, _) = try Self.watch(scratch)
            try #require(rename(scratch("above/root/a"), scratch("above/root/z")) == 0)
            #expect(watch.drain())
            while watch.forgetMoved() {}
            #expect(watch.count == 1)
        }
    }

    @Test(
        "a mount over one of them is told by the mounts, and so is its end",
        .enabled(if: geteuid() == 0, "mounting needs root"))
    func mounted() async throws {
        try await withScratch { scratch in
            let (watch, paths) = try Self.watch(scratch)
            for path in paths.reversed() {
                try await PlainStore.mountMemory(on: path)
                #expect(watch.forgetMoved(), "\(path)")
                try await Command.output(["umount", path])
                _ = watch.watch(paths)
                while watch.forgetMoved() { _ = watch.watch(paths) }
                #expect(watch.count == 3, "\(path)")
            }
        }
    }
}
