internal import Foundation
internal import Glibc
internal import Kernel
internal import Synchronization

/// The three standard streams of a child, seen from both sides.
final class ChildStreams: Sendable {
    /// Held while a descriptor is not marked close-on-exec yet, and while a child is started: otherwise a child
    /// might inherit another's pipe and keep it from ending.
    static let inheritance = Mutex(())

    private struct Ends {
        var child: [Int32] = []
        var captures: [Int: Int32] = [:]
        var pipes: [Int: Int32] = [:]
    }

    private let ends: Mutex<Ends>
    private let handlers: [Int: @Sendable (String) -> Void]
    private let readers = DispatchGroup()

    init(input: ChildProcess.Input, output: ChildProcess.Output, error: ChildProcess.Output) throws {
        var ends = Ends()
        var handlers: [Int: @Sendable (String) -> Void] = [:]
        switch input {
        case .null:
            ends.child.append(try Self.open("/dev/null", O_RDONLY))
        case .text(let text):
            let file = try Self.unlinkedFile()
            try FileHandle(fileDescriptor: file, closeOnDealloc: false).write(contentsOf: Data(text.utf8))
            lseek(file, 0, SEEK_SET)
            ends.child.append(file)
        }
        for (index, stream) in [(1, output), (2, error)] {
            switch stream {
            case .null:
                ends.child.append(try Self.open("/dev/null", O_WRONLY))
            case .file(let path):
                ends.child.append(try Self.open(path, O_WRONLY | O_CREAT | O_APPEND))
            case .capture:
                let file = try Self.unlinkedFile()
                ends.child.append(file)
                ends.captures[index] = fcntl(file, F_DUPFD_CLOEXEC, 0)
            case .lines(let handler):
                let pair = try Self.newPipe()
                ends.pipes[index] = pair.reading
                ends.child.append(pair.writing)
                handlers[index] = handler
            }
        }
        self.ends = Mutex(ends)
        self.handlers = handlers
    }

    var childDescriptors: [Int32] { ends.withLock { $0.child } }

    func closeChildEnds() {
        ends.withLock { ends in
            ends.child.forEach { _ = close($0) }
            ends.child = []
        }
    }

    func closeAll() {
        closeChildEnds()
        ends.withLock { ends in
            (Array(ends.captures.values) + Array(ends.pipes.values)).forEach { _ = close($0) }
            ends.captures = [:]
            ends.pipes = [:]
        }
    }

    func startReaders() {
        let pipes = ends.withLock { ends in
            // The thread that reads closes: a number that is closed meanwhile may be another's at the next read, and
            // what was meant for that one would be lost.
            defer { ends.pipes = [:] }
            return ends.pipes
        }
        for (index, descriptor) in pipes {
            readers.enter()
            NamedThread.start("child-lines") { [readers, handlers] in
                if let handler = handlers[index] { Self.readLines(of: descriptor, handler) }
                close(descriptor)
                readers.leave()
            }
        }
    }

    /// Lets the readers take what is left in the pipes; a grandchild may hold them open, so not for long.
    func waitForReaders() {
        _ = readers.wait(timeout: .now() + 2)
    }

    func captured() -> (output: String, error: String) {
        let captures = ends.withLock { $0.captures }
        func text(_ index: Int) -> String {
            guard let descriptor = captures[index] else { return "" }
            lseek(descriptor, 0, SEEK_SET)
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        }
        return (text(1), text(2))
    }

    private static func readLines(of descriptor: Int32, _ handler: @Sendable (String) -> Void) {
        var pending = Data()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            pending.append(contentsOf: buffer[0..<count])
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                handler(String(decoding: pending[pending.startIndex..<end], as: UTF8.self))
                pending.removeSubrange(pending.startIndex...end)
            }
        }
    }

    private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ChildProcess.StartFailure(call: "open", path: path) }
        return descriptor
    }

    private static func unlinkedFile() throws -> Int32 {
        try inheritance.withLock { _ in
            var name = Array("/tmp/usaged-test.XXXXXX".utf8CString)
            let descriptor = mkstemp(&name)
            guard descriptor >= 0 else { throw ChildProcess.StartFailure(call: "mkstemp", path: "/tmp") }
            unlink(name)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            return descriptor
        }
    }

    private static func newPipe() throws -> (reading: Int32, writing: Int32) {
        try inheritance.withLock { _ in
            var pair: [Int32] = [-1, -1]
            guard pipe(&pair) == 0 else { throw ChildProcess.StartFailure(call: "pipe") }
            pair.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
            return (pair[0], pair[1])
        }
    }
}
