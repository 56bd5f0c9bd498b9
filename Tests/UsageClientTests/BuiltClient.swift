import Foundation
import Glibc

/// The executable that was built with the tests.
enum BuiltClient {
    struct Run {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Beside the test bundle.
    static var path: String {
        let bundle = (CommandLine.arguments + ["/proc/self/exe"]).first { $0.hasSuffix(".xctest") }
        let own =
            bundle ?? (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/usage-client"
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : ".build/debug/usage-client"
    }

    static func run(_ arguments: [String], program: String? = nil, environment: [String: String] = [:]) throws
        -> Run
    {
        let directory = try TemporaryDirectory()
        let files = ["out", "err"].map { "\(directory.path)/\($0)" }
        let status = try spawnAndWait(
            [program ?? path] + arguments, output: files[0], errors: files[1], environment: environment)
        func read(_ file: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
        }
        return Run(status: status, output: try read(files[0]), errors: try read(files[1]))
    }

    /// The exit status, or 128 and the number of the signal that ended it.
    static func spawnAndWait(
        _ arguments: [String], output: String, errors: String, environment: [String: String] = [:]
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
        let variables = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC"] + environment.map { "\($0)=\($1)" }
        let words = (arguments.map { strdup($0) }) + [nil]
        let settings = (variables.map { strdup($0) }) + [nil]
        defer { for word in words + settings { free(word) } }
        var child: pid_t = 0
        guard posix_spawn(&child, arguments[0], &actions, nil, words, settings) == 0 else {
            throw POSIXError(.ENOENT)
        }
        var result: Int32 = 0
        while waitpid(child, &result, 0) < 0, errno == EINTR {}
        let signal = result & 0x7F
        return signal == 0 ? (result >> 8) & 0xFF : 128 + signal
    }
}
