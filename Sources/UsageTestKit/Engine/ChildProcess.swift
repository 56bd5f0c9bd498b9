internal import CLinux
internal import Foundation
internal import Glibc
internal import Kernel
internal import Synchronization

/// A process that a test started, in a process group of its own.
///
/// One thread of its own starts it and waits for it, so that no blocking call is on the cooperative pool, and so that
/// `diesWithParent`, which the kernel ties to the parent's thread, holds as long as the test runs.
public final class ChildProcess: Sendable {
    public enum Input: Sendable {
        case null
        case text(String)
    }

    public enum Output: Sendable {
        case null
        /// Appended to the file at this path.
        case file(String)
        /// Kept in an unlinked file until the process ends.
        case capture
        /// Each line as it is read, without its newline, from a thread of its own.
        case lines(@Sendable (String) -> Void)
    }

    /// How a process ended.
    public struct Exit: Hashable, Sendable {
        /// Its exit status, or 128 and the signal that ended it.
        public let status: Int32
        public let output: String
        public let error: String
    }

    /// A process could not be started.
    public struct StartFailure: Error, CustomStringConvertible {
        public let description: String

        init(description: String) {
            self.description = description
        }

        /// Takes the calling thread's `errno`, which must still be the failed call's.
        init(call: String, path: String = "") {
            description = "\(call) \(path): \(String(cString: strerror(errno)))"
        }
    }

    private enum State {
        case starting, running(pid_t), ended(Exit)
    }

    public let arguments: [String]
    private let state = Mutex(State.starting)

    /// Starts `arguments`, whose first is looked up in `PATH` unless it has a slash.
    ///
    /// With `diesWithParent` the kernel sends it SIGTERM when the test process ends, however that happens.
    public static func start(
        _ arguments: [String], environment: [String: String] = [:], input: Input = .null,
        output: Output = .null, error: Output = .null, diesWithParent: Bool = false
    ) async throws -> ChildProcess {
        let wrapped = diesWithParent ? ["setpriv", "--pdeathsig", "TERM", "--"] + arguments : arguments
        let child = ChildProcess(arguments: arguments)
        let streams = try ChildStreams(input: input, output: output, error: error)
        try await withCheckedThrowingContinuation { (started: CheckedContinuation<Void, any Error>) in
            NamedThread.start("child") {
                do throws(StartFailure) {
                    let pid = try child.spawn(wrapped, environment: environment, streams: streams)
                    started.resume()
                    child.waitForEnd(of: pid, streams: streams)
                } catch {
                    streams.closeAll()
                    started.resume(throwing: error)
                }
            }
        }
        return child
    }

    private init(arguments: [String]) {
        self.arguments = arguments
    }

    /// Its process id while it runs.
    public var processID: Int32? {
        state.withLock { if case .running(let pid) = $0 { pid } else { nil } }
    }

    /// How it ended; nothing while it runs.
    public var exit: Exit? {
        state.withLock { if case .ended(let exit) = $0 { exit } else { nil } }
    }

    /// Sends a signal, to its whole group where asked; nothing happens when it has ended.
    public func signal(_ number: Int32, group: Bool = false) {
        state.withLock { state in
            // The process is reaped under the same lock, so that the number cannot be another's yet.
            if case .running(let pid) = state { _ = kill(group ? -pid : pid, number) }
        }
    }

    /// Waits for its end; throws when `deadline` passes first.
    @discardableResult
    public func ended(within deadline: Duration) async throws -> Exit {
        try await wait(for: "the end of \(arguments.joined(separator: " "))", deadline: deadline) { exit }
    }

    private func waitForEnd(of pid: pid_t, streams: ChildStreams) {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        streams.waitForReaders()
        let (output, error) = streams.captured()
        streams.closeAll()
        state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let ended = status & 0x7f
            state = .ended(
                Exit(status: ended == 0 ? (status >> 8) & 0xff : 128 + ended, output: output, error: error))
        }
    }

    private func spawn(_ arguments: [String], environment: [String: String], streams: ChildStreams)
        throws(StartFailure) -> pid_t
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in streams.childDescriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        // Whoever else opens pipes in this process does not close them in children: a daemon that held one would keep
        // its reader waiting for an end until the daemon's own.
        clinux_spawn_close_from(&actions, Int32(streams.childDescriptors.count))

        var attributes = SpawnAttributes.ofOwnGroup()
        defer { posix_spawnattr_destroy(&attributes) }

        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = merged.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argumentPointers + environmentPointers).forEach { free($0) } }

        var pid: pid_t = 0
        // The lock keeps a signal from being sent to a number that is not stored yet.
        let failure = ChildStreams.inheritance.withLock { _ in
            state.withLock { state in
                let failure = posix_spawnp(
                    &pid, arguments[0], &actions, &attributes, &argumentPointers, &environmentPointers)
                if failure == 0 { state = .running(pid) }
                return failure
            }
        }
        streams.closeChildEnds()
        guard failure == 0 else {
            throw StartFailure(
                description: "cannot start \(arguments[0]): \(String(cString: strerror(failure)))")
        }
        streams.startReaders()
        return pid
    }
}
