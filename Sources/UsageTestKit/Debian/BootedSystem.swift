internal import Foundation
internal import Glibc
internal import Kernel
internal import Synchronization

/// A Debian that systemd has booted, in namespaces of its own: `systemd-nspawn`.
///
/// Commands enter the namespaces of its first process; nothing in it has to listen for them. Its network is a loopback
/// of its own.
public final class BootedSystem: Sendable {
    public let root: DebianRoot
    private let machine: ChildProcess
    /// The name of its machine and of its control groups.
    private let name: String
    /// The first process, as the host numbers it.
    private let leader: Int32

    /// Whether one can be booted here.
    public static let isPossible: Bool =
        DebianRoot.isPossible
        && (ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
            || Program.isInstalled("systemd-nspawn"))

    /// Boots `root` and waits until all that it starts is started.
    ///
    /// `binds` are directories of the host by the places where they are in it; those of `readOnly` are in the same
    /// place and cannot be written there.
    public static func boot(
        _ root: DebianRoot, in scratch: ScratchDirectory, binds: [String: String] = [:],
        readOnly: [String] = []
    ) async throws -> BootedSystem {
        let console = scratch("console")
        let name = "usaged-\(UInt32.random(in: 0...UInt32.max))"
        let machine = try await ChildProcess.start(
            [
                "\(BaseRoot.package)/scripts/own-cgroup.sh", "run", name,
                "systemd-nspawn", "--quiet", "--directory=\(root.path)", "--register=no", "--keep-unit",
                "--machine=\(name)", "--private-network",
                "--console=pipe",
                "--link-journal=no",
            ] + binds.map { "--bind=\($0.value):\($0.key)" }.sorted()
                + readOnly.map { "--bind-ro=\($0)" } + ["--boot"],
            output: .file(console), error: .file(console), diesWithParent: true)
        do {
            let leader = try await wait(for: "the first process", deadline: .seconds(30)) {
                try firstProcess(of: machine)
            }
            let system = BootedSystem(root: root, machine: machine, name: name, leader: leader)
            try await wait(until: "the system to be up", deadline: .seconds(90)) {
                let state = try await system.run("systemctl is-system-running").out
                return ["running\n", "degraded\n"].contains(state)
            }
            return system
        } catch {
            machine.signal(SIGKILL, group: true)
            _ = try? await machine.ended(within: .seconds(10))
            try? await removeControlGroups(name)
            let said = (try? String(contentsOfFile: console, encoding: .utf8)) ?? ""
            throw WaitFailure(description: "\(error)\nthe console:\n\(said.suffix(4000))")
        }
    }

    private init(root: DebianRoot, machine: ChildProcess, name: String, leader: Int32) {
        self.root = root
        self.machine = machine
        self.name = name
        self.leader = leader
    }

    /// The child of `systemd-nspawn` that has become systemd.
    private static func firstProcess(of machine: ChildProcess) throws -> Int32? {
        guard let pid = machine.processID else { throw WaitFailure(description: "systemd-nspawn has ended") }
        let children = try ProcessFile.text("/proc/\(pid)/task/\(pid)/children").split(separator: " ")
        return try children.compactMap { Int32($0) }.first {
            try ProcessFile.text("/proc/\($0)/comm") == "systemd\n"
        }
    }

    /// A path of the system, as the host sees it: its mounts are there, which the root's directory lacks.
    public func path(_ path: String) -> String {
        "/proc/\(leader)/root\(path)"
    }

    /// Asks the daemon in it from outside, as root.
    public var query: UsageQuery { UsageQuery(socket: path("/run/usaged/usaged.sock")) }

    /// Runs a script of the shell in it, as root, or as another user with that user's groups.
    public func run(_ script: String, as user: String? = nil, deadline: Duration = .seconds(60)) async throws
        -> Command.Result
    {
        let identity =
            user.map { ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--init-groups", "--"] } ?? []
        return try await Command.run(
            [
                "nsenter", "--target", "\(leader)", "--mount", "--uts", "--ipc", "--net", "--pid", "--root",
                "--wd", "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive",
            ] + identity + ["sh", "-c", script], deadline: deadline)
    }

    /// Runs a script and returns what it printed, without the last newline; throws unless it ended with status 0.
    @discardableResult
    public func output(_ script: String, as user: String? = nil, deadline: Duration = .seconds(60))
        async throws
        -> String
    {
        let result = try await run(script, as: user, deadline: deadline)
        guard result.status == 0 else {
            throw WaitFailure(
                description:
                    "\(script): status \(result.status)\n\(result.out.suffix(4000))\(result.err.suffix(4000))"
            )
        }
        return result.out.trimmingCharacters(in: .newlines)
    }

    /// A property of a unit, as `systemctl show` prints it.
    public func property(_ name: String, of unit: String = "usaged.service") async throws -> String {
        try await output("systemctl show --value --property=\(name) \(unit)")
    }

    /// The entries of the journal that match, the oldest first, with those fields that are text.
    public func journal(_ matches: String) async throws -> [[String: String]] {
        let text = try await output("journalctl --sync; journalctl --all --output=json \(matches)")
        return try text.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return (object ?? [:]).compactMapValues { $0 as? String }
        }
    }

    /// Shuts it down.
    public func stop() async throws {
        machine.signal(SIGTERM)
        do {
            try await machine.ended(within: .seconds(60))
        } catch {
            machine.signal(SIGKILL, group: true)
            throw error
        }
        try await Self.removeControlGroups(name)
        root.unmount()
    }

    private static func removeControlGroups(_ name: String) async throws {
        // The last process may have ended a moment ago.
        try await wait(until: "the control groups of \(name) to be removed") {
            try await Command.run(["\(BaseRoot.package)/scripts/own-cgroup.sh", "remove", name]).status == 0
        }
    }
}
