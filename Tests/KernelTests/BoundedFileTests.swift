import Foundation
import Testing
import UsageTestKit

@testable import Kernel

@Suite("Reading metadata files")
struct BoundedFileTests {
    private func make(_ body: (ScratchDirectory, Directory) throws -> Void) throws {
        let scratch = try ScratchDirectory("bounded")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        try Data("text".utf8).write(to: URL(fileURLWithPath: scratch("file")))
        symlink("file", scratch("link"))
        symlink("fifo", scratch("link-to-fifo"))
        symlink("loop", scratch("loop"))
        #expect(mkfifo(scratch("fifo"), 0o644) == 0)
        #expect(mkdir(scratch("directory"), 0o755) == 0)
        try body(scratch, try Directory.open(path: scratch.path))
    }

    @Test("a regular file is read, by path and by name")
    func regular() throws {
        try make { (scratch, directory) throws in
            #expect(try BoundedFile.read(path: scratch("file"), limit: 4) == Array("text".utf8))
            #expect(try BoundedFile.read(FileName("file"), in: directory, limit: 4) == Array("text".utf8))
            #expect(
                try BoundedFile.read(path: scratch("link"), limit: 4, followingLinks: true)
                    == Array("text".utf8))
            #expect(throws: BoundedFile.Failure.tooLarge(path: scratch("file"), limit: 3)) {
                try BoundedFile.read(path: scratch("file"), limit: 3)
            }
        }
    }

    @Test("a file is read whole, whatever its size", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func sizes(count: Int) throws {
        try make { (scratch, _) throws in
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
            try Data(bytes).write(to: URL(fileURLWithPath: scratch("sized")))
            #expect(try BoundedFile.read(path: scratch("sized"), limit: count) == bytes)
        }
    }

    @Test("a file of /proc, whose size is not known before, is read whole")
    func proc() throws {
        #expect(try BoundedFile.read(path: "/proc/self/mountinfo", limit: 64 << 20).count > 0)
        #expect(throws: BoundedFile.Failure.tooLarge(path: "/proc/self/mountinfo", limit: 1)) {
            try BoundedFile.read(path: "/proc/self/mountinfo", limit: 1)
        }
    }

    @Test("what is no regular file is refused", arguments: ["link", "fifo", "directory", "loop"])
    func refused(name: String) throws {
        try make { (scratch, directory) throws in
            #expect(throws: BoundedFile.Failure.notRegular(path: scratch(name))) {
                try BoundedFile.read(path: scratch(name), limit: 10)
            }
            #expect(throws: BoundedFile.Failure.notRegular(path: name)) {
                try BoundedFile.read(FileName(name), in: directory, limit: 10)
            }
        }
    }

    @Test("a FIFO is not even opened, which a writer that waits for a reader would notice")
    func notOpened() throws {
        try make { (scratch, _) throws in
            let inotify = try Inotify()
            let opened = InotifyEvent.Mask(rawValue: 0x20)
            _ = try inotify.add(path: scratch.path, mask: opened)
            for name in ["fifo", "link-to-fifo"] {
                #expect(throws: BoundedFile.Failure.notRegular(path: scratch(name))) {
                    try BoundedFile.read(path: scratch(name), limit: 10, followingLinks: true)
                }
            }
            #expect(try inotify.drain { _ in } == 0)
        }
    }

    @Test("a missing file is told from one that cannot be read")
    func missing() throws {
        try make { (scratch, directory) throws in
            for path in [scratch("none"), scratch("file/none")] {
                let failure = #expect(throws: BoundedFile.Failure.self) {
                    try BoundedFile.read(path: path, limit: 10)
                }
                #expect(failure?.isMissing == true)
            }
        }
    }
}
