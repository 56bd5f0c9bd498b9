import Foundation
import Synchronization
import Testing
import UsageTestKit

@testable import Kernel

@Suite(
    "Files without a name that processes hold (needs root)", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct OpenFileScannerTests {
    /// Scans for files below `path` alone.
    private func scan(_ path: String, limits: OpenFileScanner.Limits = .init()) throws -> [OpenFileScan.File]
    {
        try look(path, limits: limits).files.values.filter { $0.path.starts(with: path.utf8) }
    }

    private func look(_ path: String, limits: OpenFileScanner.Limits = .init()) throws -> OpenFileScan {
        let device = try FileStatus.of(path: path).identity.device
        return OpenFileScanner(limits: limits).scan { mount, _ in mount.device == device }
    }

    /// Waits until nothing is found: a child that another test starts has copies of all descriptors until it runs
    /// its program.
    private func gone(_ path: String) async throws {
        try await wait(until: "no file below \(path) to be held") { try scan(path).isEmpty }
    }

    private func create(_ path: String, _ count: Int) throws -> FileHandle {
        // No child that another test starts may go on with it.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data(repeating: 1, count: count))
        return file
    }

    @Test("a file that was removed while it is open is found with its size and holder until it is closed")
    func untilClosed() async throws {
        let scratch = try ScratchDirectory("open")
        let file = try create(scratch("file"), 1_000_000)
        let status = try FileStatus.of(path: scratch("file"))
        #expect(try scan(scratch.path).isEmpty)
        #expect(unlink(scratch("file")) == 0)
        let found = try scan(scratch.path)
        #expect(found.map(\.status.identity) == [status.identity])
        #expect(found.first?.status.allocated == status.allocated)
        #expect(found.first?.status.size == 1_000_000)
        #expect(found.first?.processID == getpid())
        #expect(found.first?.path == Array(scratch("file").utf8))
        #expect(found.first?.isWritable == true)
        #expect(found.first?.command.isEmpty == false)
        try file.close()
        try await gone(scratch.path)
        try await scratch.remove()
    }

    @Test("a file with another name left, and a file whose name only looks deleted, are not found")
    func named() async throws {
        let scratch = try ScratchDirectory("open")
        let linked = try create(scratch("file"), 1000)
        #expect(link(scratch("file"), scratch("other")) == 0)
        #expect(unlink(scratch("file")) == 0)
        let pretender = try create(scratch("name (deleted)"), 1000)
        #expect(try scan(scratch.path).isEmpty)
        #expect(unlink(scratch("other")) == 0)
        #expect(try scan(scratch.path).count == 1)
        withExtendedLifetime((linked, pretender)) {}
        try await scratch.remove()
    }

    @Test("a file that two processes hold by three descriptors is found once, with both counted")
    func once() async throws {
        let scratch = try ScratchDirectory("open")
        let file = try create(scratch("file"), 1000)
        let child = try await ChildProcess.start(
            ["sh", "-c", "exec 3<\"$0\" 4<\"$0\"; touch \"$0.ready\"; exec sleep 600", scratch("file")],
            diesWithParent: true)
        try await wait(until: "the child to hold the file") {
            FileManager.default.fileExists(atPath: scratch("file.ready"))
        }
        #expect(unlink(scratch("file")) == 0)
        let found = try await wait(for: "both processes") {
            let found = try scan(scratch.path)
            return found.first?.processes == 2 ? found : nil
        }
        #expect(found.count == 1)
        #expect(found.first?.isWritable == true)
        child.signal(SIGKILL)
        try await child.ended(within: .seconds(10))
        try await wait(until: "the child to be gone") { try scan(scratch.path).first?.processes == 1 }
        withExtendedLifetime(file) {}
        try await scratch.remove()
    }

    @Test("a file that is only mapped is found until it is unmapped")
    func mapped() async throws {
        let scratch = try ScratchDirectory("open")
        let file = try create(scratch("file"), 100_000)
        let map = mmap(nil, 100_000, PROT_READ, MAP_PRIVATE, file.fileDescriptor, 0)
        try file.close()
        #expect(unlink(scratch("file")) == 0)
        #expect(try scan(scratch.path).map(\.status.size) == [100_000])
        munmap(map, 100_000)
        try await gone(scratch.path)
        try await scratch.remove()
    }

    @Test("a file that a thread holds in a table of its own is found")
    func ownTable() async throws {
        let scratch = try ScratchDirectory("open")
        let (ready, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let path = scratch("file")
        // Glibc's module does not show unshare(2).
        let symbol = try #require(dlsym(nil, "unshare"))
        let unshare = unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)
        NamedThread.start("own-table") {
            // CLONE_FILES
            _ = unshare(0x400)
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            unlink(path)
            ready.signal()
            release.wait()
            close(descriptor)
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                ready.wait()
                continuation.resume()
            }
        }
        #expect(try scan(scratch.path).count == 1)
        release.signal()
        try await gone(scratch.path)
        try await scratch.remove()
    }

    @Test("of an overlay, files of the upper directory are found, and files of a lower one are not")
    func overlay() async throws {
        let scratch = try ScratchDirectory("open")
        for name in ["lower", "upper", "work", "merged"] { try scratch.directory(name) }
        for (name, size) in [("read", 400_000), ("copied", 500_000)] {
            try create(scratch("lower/\(name)"), size).close()
        }
        try await Command.output([
            "mount", "-t", "overlay", "overlay", "-o",
            "lowerdir=\(scratch("lower")),upperdir=\(scratch("upper")),workdir=\(scratch("work"))",
            scratch("merged"),
        ])
        let new = try create(scratch("merged/new"), 300_000)
        let read = open(scratch("merged/read"), O_RDONLY | O_CLOEXEC)
        // Opened before it was copied up, it keeps the copy.
        let before = open(scratch("merged/copied"), O_RDONLY | O_CLOEXEC)
        close(open(scratch("merged/copied"), O_RDWR | O_CLOEXEC))
        for name in ["new", "read", "copied"] { #expect(unlink(scratch("merged/\(name)")) == 0) }
        let found = try scan(scratch("merged"))
        #expect(Set(found.map(\.status.size)) == [300_000, 500_000])
        #expect(Set(found.map(\.mount.type)) == ["overlay"])
        #expect(Set(found.compactMap { $0.mount.option("upperdir") }) == [scratch("upper")])
        try new.close()
        for descriptor in [read, before] { close(descriptor) }
        try await gone(scratch("merged"))
        try await scratch.remove()
    }

    @Test(
        "a mount that was made in a user namespace of someone else's is not vouched for, and no file of it is asked"
    )
    func foreign() async throws {
        let scratch = try ScratchDirectory("open")
        for name in ["lower", "upper", "work", "merged", "victim"] { try scratch.directory(name) }
        let script = """
            mount -t overlay overlay -o "lowerdir=lower,upperdir=upper,workdir=work,userxattr" merged || exit 7
            exec 3>merged/file; rm merged/file; head -c 100000 /dev/zero >&3; touch ready; exec sleep 600
            """
        let child = try await ChildProcess.start(
            [
                "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                "cd \(scratch.path) && \(script)",
            ],
            diesWithParent: true)
        try await wait(until: "the child's file") {
            if child.exit != nil { return true }
            return FileManager.default.fileExists(atPath: scratch("ready"))
        }
        try #require(child.exit == nil, "no overlay in a user namespace here")
        let trusts = Mutex<Set<MountTrust>>([])
        let scan = OpenFileScanner().scan { mount, trust in
            if mount.path == scratch("merged") { trusts.withLock { _ = $0.insert(trust) } }
            return trust != .foreign
        }
        #expect(trusts.withLock { $0 } == [.foreign])
        #expect(scan.foreign >= 1)
        #expect(!scan.files.values.contains { $0.path.starts(with: scratch.path.utf8) })
        child.signal(SIGKILL, group: true)
        try await child.ended(within: .seconds(10))
        try await scratch.remove()
    }

    @Test(
        "a process with more descriptors than are looked at is told as a gap, and so is the end of the time")
    func bounds() throws {
        var limits = OpenFileScanner.Limits()
        #expect(try !look("/").gaps.contains(.descriptors))
        limits.descriptors = 1
        #expect(try look("/", limits: limits).gaps.contains(.descriptors))
        limits = .init()
        limits.processes = 1
        let few = try look("/", limits: limits)
        #expect(few.gaps.contains(.processes))
        #expect(few.processes <= 1)
        limits = .init()
        limits.processSeconds = 0
        #expect(try look("/", limits: limits).gaps.contains(.descriptors))
        limits = .init()
        limits.seconds = 0
        #expect(try look("/", limits: limits).gaps == [.time])
    }
}
