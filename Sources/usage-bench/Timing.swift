import CLinux
import Glibc
import UsageTestKit

/// Commands that are timed from start to exit.
enum Timing {
    struct Result {
        /// From before the start to after the exit.
        var milliseconds: Double
        /// Of the processor, by it and its children.
        var processorMilliseconds: Double
    }

    /// Runs a command with its output thrown away; fails where its exit status is not 0.
    static func run(_ arguments: [String]) throws -> Result {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        let begin = ContinuousClock.now
        var process = pid_t()
        let failure = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
        guard failure == 0 else {
            throw WaitFailure(
                description: "cannot start \(arguments[0]): \(String(cString: strerror(failure)))")
        }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        let time = ContinuousClock.now - begin
        guard status == 0 else {
            throw WaitFailure(description: "\(arguments.joined(separator: " ")) ended with status \(status)")
        }
        return Result(
            milliseconds: time.milliseconds,
            processorMilliseconds: milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime))
    }

    static func milliseconds(_ arguments: [String]) throws -> Double {
        try run(arguments).milliseconds
    }

    private static func milliseconds(_ time: timeval) -> Double {
        Double(time.tv_sec) * 1e3 + Double(time.tv_usec) / 1e3
    }
}
