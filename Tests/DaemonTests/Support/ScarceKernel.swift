import Foundation
import Glibc
import UsageTestKit

/// Makes what the kernel gives a daemon scarce, without touching what others of this host have.
///
/// Inotify's limits hold in each user namespace by itself, beside the host's.
enum ScarceKernel {
    /// Whether this user may make user namespaces here.
    static let canUnshare: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["--user", "--map-root-user", "true"]
        process.standardError = nil
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// A command that becomes the one behind it, in a user namespace of its own with these limits.
    static func launcher(watches: Int = 100_000, instances: Int = 100) -> [String] {
        ["unshare", "--user", "--map-root-user"] + shell(watches, instances, then: "exec \"$@\"") + ["sh"]
    }

    /// A command that becomes the one behind it, in the user namespace of a daemon and so under its limits.
    static func launcher(inNamespaceOf daemon: UsagedProcess) throws -> [String] {
        ["nsenter", "--user", "--preserve-credentials", "--target", try processID(daemon), "--"]
    }

    /// Changes the limits of a daemon that was started by ``launcher(watches:instances:)``.
    static func set(watches: Int = 100_000, instances: Int = 100, of daemon: UsagedProcess) async throws {
        try await Command.output(
            launcher(inNamespaceOf: daemon) + shell(watches, instances, then: "true"))
    }

    /// Changes how many files the daemon may have open.
    static func set(openFiles: Int, of daemon: UsagedProcess) async throws {
        try await Command.output(["prlimit", "--pid", processID(daemon), "--nofile=\(openFiles):"])
    }

    private static func shell(_ watches: Int, _ instances: Int, then command: String) -> [String] {
        let limits = "/proc/sys/user/max_inotify"
        return [
            "sh", "-ec",
            "echo \(watches) > \(limits)_watches; echo \(instances) > \(limits)_instances; \(command)",
        ]
    }

    /// The number of the daemon's process and of its group, while it runs.
    static func processID(_ daemon: UsagedProcess) throws -> String {
        guard let pid = daemon.processID else { throw DaemonFailure(description: "the daemon has ended") }
        return "\(pid)"
    }
}
