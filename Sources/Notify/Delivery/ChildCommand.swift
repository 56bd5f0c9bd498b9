internal import CLinux
internal import Glibc
internal import Kernel
internal import SystemPackage

/// Runs a program to its end, in a process group of its own, within a time and with bounded output.
enum ChildCommand {
    enum End: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
        /// It was killed with its group when its time was over.
        case timedOut
        /// It was killed with its group because the caller stops.
        case stopped
    }

    struct Result: Hashable, Sendable {
        var end: End
        /// The beginning of what it wrote to its standard output and error.
        var output: String
        var outputIsCut: Bool
    }

    static let outputLimit = 4 << 10
    /// Between SIGTERM and SIGKILL.
    static let grace = Duration.seconds(2)

    /// Runs `arguments`, the first of which is a path; `input` is its standard input.
    ///
    /// What the program leaves running is not waited for, and killed only where the time was over.
    static func run(
        _ arguments: [String], environment: [String: String], input: [UInt8], timeout: Duration,
        isStopped: @Sendable () -> Bool
    ) throws(NotifyError) -> Result {
        let standardInput = try memory(input)
        defer { close(standardInput) }
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw failure("pipe") }
        defer { close(ends[0]) }
        let child = try spawn(arguments, environment, input: standardInput, output: Closing(ends[1]))
        let handle = clinux_pidfd_open(child)
        guard handle >= 0 else {
            let error = failure("pidfd_open")
            kill(-child, SIGKILL)
            _ = reap(child)
            throw error
        }
        defer { close(handle) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var output = Output(descriptor: ends[0])
        let wait = Wait(child: child, handle: handle)
        let outcome = wait.untilEnd(reading: &output, deadline: .now + timeout, isStopped: isStopped)
        output.read()
        return Result(
            end: outcome ?? reap(child), output: String(decoding: output.bytes, as: UTF8.self),
            outputIsCut: output.isCut)
    }

    /// A descriptor that is closed at the end of its use.
    private struct Closing: ~Copyable {
        let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }
    }

    private struct Output {
        let descriptor: Int32
        var bytes: [UInt8] = []
        var isCut = false
        var isOpen = true

        /// Takes what is there, and keeps the beginning.
        mutating func read() {
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            // A program that writes without end does not keep the caller here.
            for _ in 0..<64 {
                let count = Glibc.read(descriptor, &buffer, buffer.count)
                guard count > 0 else {
                    if count == 0 { isOpen = false }
                    return
                }
                let room = ChildCommand.outputLimit - bytes.count
                bytes += buffer[..<min(count, room)]
                isCut = isCut || count > room
            }
        }
    }

    private struct Wait {
        let child: pid_t
        let handle: Int32

        /// Waits for the child's end, or brings it about; nil where it came by itself and is to be reaped.
        func untilEnd(
            reading output: inout Output, deadline: ContinuousClock.Instant, isStopped: () -> Bool
        ) -> End? {
            while true {
                if step(&output, until: min(deadline, .now + .milliseconds(200))) { return nil }
                let stops = isStopped()
                guard stops || ContinuousClock.now >= deadline else { continue }
                kill(-child, SIGTERM)
                let end = ContinuousClock.now + ChildCommand.grace
                var hasEnded = false
                while !hasEnded, ContinuousClock.now < end { hasEnded = step(&output, until: end) }
                // Also what the child left in its group; until it is reaped the number is no other's.
                kill(-child, SIGKILL)
                _ = ChildCommand.reap(child)
                return stops ? .stopped : .timedOut
            }
        }

        /// Reads what comes until a time; whether the child has ended.
        private func step(_ output: inout Output, until: ContinuousClock.Instant) -> Bool {
            let left = max(0, (until - .now).milliseconds + 1)
            let watched = output.isOpen ? [handle, output.descriptor] : [handle]
            let ready = Poll.wait(
                for: watched.map { FileDescriptor(rawValue: $0) },
                timeoutMilliseconds: Int32(min(left, 60_000)))
            if ready.count > 1, ready[1] { output.read() }
            return ready[0]
        }
    }

    fileprivate static func reap(_ child: pid_t) -> End {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, Glibc.errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
    }

    /// A file in memory, to be read from its beginning: no pipe that has to be kept filled.
    private static func memory(_ bytes: [UInt8]) throws(NotifyError) -> Int32 {
        let descriptor = clinux_memfd("notice")
        guard descriptor >= 0 else { throw failure("memfd_create") }
        do {
            try FileDescriptor(rawValue: descriptor).writeAll(bytes)
        } catch {
            close(descriptor)
            throw NotifyError("cannot start a program: write: \(error)")
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String: String], input: Int32, output: consuming Closing
    ) throws(NotifyError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output.descriptor, 1)
        posix_spawn_file_actions_adddup2(&actions, output.descriptor, 2)
        clinux_spawn_close_from(&actions, 3)

        var attributes = SpawnAttributes.ofOwnGroup()
        defer { posix_spawnattr_destroy(&attributes) }

        var words = arguments.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, arguments[0], &actions, &attributes, &words, &variables)
        guard error == 0 else {
            throw NotifyError("cannot start \(arguments[0]): \(Errno(rawValue: error))")
        }
        return child
    }

    private static func failure(_ call: String) -> NotifyError {
        NotifyError("cannot start a program: \(call): \(Errno(rawValue: Glibc.errno))")
    }
}
