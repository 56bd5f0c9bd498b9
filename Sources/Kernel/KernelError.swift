public import SystemPackage

/// A system call that failed: which, on what, and why.
public struct KernelError: Error, Hashable, Sendable {
    /// The call that failed, by its manual page's name, for example `openat`.
    public let call: String
    /// The file it was about, escaped for printing; empty where there is none.
    public let path: String
    public let errno: Errno

    public init(call: String, path: String = "", errno: Errno) {
        self.call = call
        self.path = path
        self.errno = errno
    }

    /// Takes the calling thread's `errno`, which must still be the failed call's.
    init(call: String, path: String = "") {
        self.init(call: call, path: path, errno: currentErrno())
    }
}

extension KernelError: CustomStringConvertible {
    public var description: String {
        path.isEmpty ? "\(call): \(errno)" : "\(call) \(path): \(errno)"
    }
}
