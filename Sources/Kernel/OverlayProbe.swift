internal import CLinux
internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Tries whether the kernel tells an upper directory of data that is written through overlayfs.
public enum OverlayProbe {
    public enum Finding: String, Hashable, Sendable {
        case told
        case silent
    }

    /// The event is queued inside the write, so that this only has to be long enough for a debugger.
    private static let patience: Int32 = 100

    /// Mounts an overlay on a file system in memory, writes through it and looks for the event.
    ///
    /// All of it is in a mount namespace of its own, which nobody sees and which ends with the call. It blocks for
    /// a few milliseconds. `EPERM` means that the caller lacks `CAP_SYS_ADMIN`.
    public static func run() throws(KernelError) -> Finding {
        let outcome = Outcome()
        NamedThread.start("overlay-probe") {
            do throws(KernelError) {
                let inotify = try Inotify()
                // Its end is not waited for: the kernel takes longer for it than for all the rest.
                defer { withExtendedLifetime(inotify) {} }
                outcome.give(.success(try tryOut(inotify)))
            } catch {
                outcome.give(.failure(error))
            }
        }
        return try outcome.wait().get()
    }

    private final class Outcome: Sendable {
        private let result = Mutex<Result<Finding, KernelError>?>(nil)
        private let done = DispatchSemaphore(value: 0)

        func give(_ finding: Result<Finding, KernelError>) {
            result.withLock { $0 = finding }
            done.signal()
        }

        func wait() -> Result<Finding, KernelError> {
            done.wait()
            guard let finding = result.withLock({ $0 }) else {
                preconditionFailure("it is signalled when there is one")
            }
            return finding
        }
    }

    /// Leaves the calling thread in another namespace.
    private static func tryOut(_ inotify: Inotify) throws(KernelError) -> Finding {
        guard clinux_unshare_mounts() == 0 else { throw KernelError(call: "unshare") }
        try mount("none", on: "/", type: nil, flags: UInt(MS_REC) | UInt(MS_PRIVATE))
        // Any directory will do; nobody else sees what it holds now.
        let root = "/tmp"
        try mount("tmpfs", on: root, type: "tmpfs", options: "size=1m,mode=700")
        for name in ["lower", "upper", "work", "merged"] {
            guard mkdir("\(root)/\(name)", 0o700) == 0 else {
                throw KernelError(call: "mkdir", path: "\(root)/\(name)")
            }
        }
        try mount(
            "overlay", on: "\(root)/merged", type: "overlay",
            options: "lowerdir=\(root)/lower,upperdir=\(root)/upper,workdir=\(root)/work")
        _ = try inotify.add(path: "\(root)/upper", mask: [.create, .modify])
        try write(to: "\(root)/merged/file")
        var found: InotifyEvent.Mask = []
        while !found.contains(.modify),
            Poll.wait(for: [inotify.descriptor], timeoutMilliseconds: patience).first == true
        {
            _ = try inotify.drain { found.formUnion($0.mask) }
        }
        // Where not even the name came, nothing was found out.
        guard found.contains(.create) else { throw KernelError(call: "inotify", path: root, errno: .noData) }
        return found.contains(.modify) ? .told : .silent
    }

    private static func mount(
        _ source: String, on path: String, type: String?, flags: UInt = 0, options: String? = nil
    ) throws(KernelError) {
        guard Glibc.mount(source, path, type, flags, options) == 0 else {
            throw KernelError(call: "mount", path: path)
        }
    }

    private static func write(to path: String) throws(KernelError) {
        let descriptor = Glibc.open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw KernelError(call: "open", path: path) }
        defer { Glibc.close(descriptor) }
        guard Glibc.write(descriptor, "x", 1) == 1 else { throw KernelError(call: "write", path: path) }
    }
}
