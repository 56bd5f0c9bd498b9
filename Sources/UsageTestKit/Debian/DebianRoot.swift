internal import Foundation
internal import Glibc

/// A small Debian with systemd that a test may change: an overlay of one that is made once and kept.
public struct DebianRoot: Sendable {
    /// What is in it beside the essential packages: systemd, and what the package depends on.
    private static let packages = ["systemd", "systemd-sysv", "dbus", "libsqlite3-0", "libcurl4"]

    public let path: String
    private let overlay: ScratchOverlay

    /// Whether it can be had here; where the tests on engines must run, so must these.
    ///
    /// Not with a sanitizer: its executables are none to be packaged, and need what the unit's sandbox refuses.
    public static let isPossible: Bool = {
        guard !Sanitizer.isOn else { return false }
        return ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
            || (geteuid() == 0
                && ["debootstrap", "dpkg-deb", "dpkg-shlibdeps"].allSatisfy(Program.isInstalled))
    }()

    /// Mounts one in a directory below `scratch`.
    public init(in scratch: ScratchDirectory, named name: String = "debian") async throws {
        let lower = try await Self.kept()
        overlay = try ScratchOverlay(below: scratch(name), lower: lower)
        path = overlay.merged
        try overlay.mount()
    }

    public func unmount() {
        overlay.unmount()
    }

    /// Runs a command in it by `chroot`, with `/proc` and `/dev/null` alone: nothing is booted.
    public func run(_ arguments: [String], deadline: Duration = .seconds(120)) async throws -> Command.Result
    {
        let script = """
            set -eu
            mount --make-rprivate /
            mount -t proc proc "$0/proc"
            mount --bind /dev "$0/dev"
            exec chroot "$0" "$@"
            """
        return try await Command.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script, path] + arguments,
            environment: ["LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"], deadline: deadline)
    }

    /// The tree that all overlays are on.
    private static func kept() async throws -> String {
        try await Unpacking.shared.directory(packages)
    }

    /// Unpacks it once for all tests of a process.
    private actor Unpacking {
        static let shared = Unpacking()
        private var task: Task<String, any Error>?

        func directory(_ packages: [String]) async throws -> String {
            let task =
                task
                ?? Task {
                    let tar = try await BaseRoot.tar(with: packages)
                    let directory = String(tar.dropLast(".tar".count))
                    // Another process may do the same: the name appears with the whole tree or not at all.
                    let script = """
                        set -eu
                        [ ! -d "$2" ] || exit 0
                        mkdir "$3"
                        tar -C "$3" --numeric-owner -xf "$1"
                        mv -T "$3" "$2" || { [ -d "$2" ] && rm -rf "$3"; }
                        """
                    try await Command.output(
                        ["sh", "-c", script, "sh", tar, directory, "\(directory).\(getpid())"],
                        deadline: .seconds(300))
                    return directory
                }
            self.task = task
            return try await task.value
        }
    }
}
