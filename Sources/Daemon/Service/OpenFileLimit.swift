internal import Kernel

/// The limit of open files leaves too little room for the daemon to start.
struct OpenFileLimitError: Error, CustomStringConvertible {
    /// What the threads, the sockets and the state take before the first store is looked at, and some more.
    private static let least = 64

    let limit: Int

    static func check() throws(OpenFileLimitError) {
        guard let limit = KernelLimits.openFiles, limit < least else { return }
        throw OpenFileLimitError(limit: limit)
    }

    var description: String {
        "the limit of open files is \(limit), and at least \(Self.least) are needed: raise LimitNOFILE= of usaged.service, or "
            + "ulimit -n where it is started by hand"
    }
}
