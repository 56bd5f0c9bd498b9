import Foundation
import Testing
import UsageTestKit

@testable import Kernel

@Suite("Emptying an inotify queue")
struct InotifyTests {
    /// Two events that the kernel cannot merge for each of `count` names.
    private func makeEvents(_ count: Int, in directory: ScratchDirectory) throws {
        for index in 0..<count {
            let path = directory("f\(index)")
            #expect(mkdir(path, 0o755) == 0)
            #expect(rmdir(path) == 0)
        }
    }

    @Test("all that waited is taken, past the limit of events, and not much more")
    func atLeast() throws {
        let directory = try ScratchDirectory("inotify")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let inotify = try Inotify()
        _ = try inotify.add(path: directory.path, mask: [.create, .delete, .onlyDirectory])
        #expect(try inotify.pendingBytes() == 0)
        try makeEvents(2_500, in: directory)
        let pending = try inotify.pendingBytes()
        #expect(pending == 5_000 * 32)
        var names: [FileName?] = []
        // One read takes 64 KiB.
        #expect(try inotify.drain(limit: 1) { names.append($0.name) } == 2_048)
        #expect(try inotify.pendingBytes() == pending - 2_048 * 32)
        // What is queued meanwhile is not waited for: each event taken queues another.
        let rest = try inotify.pendingBytes()
        let taken = try inotify.drain(limit: 1, atLeast: rest) { event in
            names.append(event.name)
            _ = mkdir(directory("g\(names.count)"), 0o755)
        }
        #expect(taken >= rest / 32)
        #expect(taken <= rest / 32 + 2_048)
        #expect(names[4_999] == FileName("f2499"))
    }

    @Test("an empty queue ends the wait for more")
    func empty() throws {
        let directory = try ScratchDirectory("inotify")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        let inotify = try Inotify()
        _ = try inotify.add(path: directory.path, mask: [.create, .delete, .onlyDirectory])
        try makeEvents(3, in: directory)
        #expect(try inotify.drain(limit: 0, atLeast: .max) { _ in } == 6)
        #expect(try inotify.drain(limit: 0, atLeast: .max) { _ in } == 0)
    }
}
