internal import Glibc
internal import Kernel
internal import SystemPackage

/// The directory of the queues, for one process at a time.
final class StateDirectory {
    private static let suffix = ".queue"

    let path: String
    private let lock: Int32

    /// Makes the directory where it is missing, but not its parents.
    init(_ path: String) throws(NotifyError) {
        self.path = path
        guard mkdir(path, 0o700) == 0 || Glibc.errno == EEXIST else {
            throw NotifyError("cannot make the state directory \(path): \(Errno(rawValue: Glibc.errno))")
        }
        lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw NotifyError(
                """
                cannot use the state directory \(path): \(Errno(rawValue: Glibc.errno)); name one that you may write \
                to with --state, or use usaged-notify.service
                """)
        }
        // Whatever is thrown from here on has `deinit` close the lock.
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw NotifyError("another usage-client notify uses \(path); stop it, or name another directory")
        }
    }

    deinit {
        close(lock)
    }

    func file(of receiver: String) -> String { "\(path)/\(receiver)\(Self.suffix)" }

    /// The receivers that have a queue here.
    func receivers() -> [String] {
        guard let names = try? Directory.open(path: path).names() else { return [] }
        return names.compactMap { String(validating: $0.bytes, as: UTF8.self) }
            .filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }.sorted()
    }

    func removeQueue(of receiver: String) {
        unlink(file(of: receiver))
    }
}
