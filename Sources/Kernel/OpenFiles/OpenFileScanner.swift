internal import CLinux
internal import Glibc
internal import SystemPackage

/// Finds files that have no name any more but that processes hold open or mapped, by `/proc`.
///
/// Nothing of a process is opened but its entries of `/proc`; a file is asked for its status only where the caller
/// vouches for its mount. For use by one thread at a time.
public final class OpenFileScanner {
    public struct Limits: Sendable {
        public var processes = 32_768
        /// Of one process.
        public var descriptors = 65_536
        /// Of one process.
        public var threads = 4_096
        /// Files that are remembered.
        public var files = 65_536
        /// Of processor time, for one look.
        public var seconds = 2.0
        /// Of processor time, for one process, so that it cannot take the time of those behind it.
        public var processSeconds = 0.5

        public init() {}
    }

    private let limits: Limits
    private let caller = ImpatientCaller(patienceMilliseconds: 1000)

    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether the calling process may look at the files of others.
    ///
    /// Measured on Linux 6.18: listing the descriptors of another user's process takes `CAP_DAC_READ_SEARCH`, and
    /// reading where they lead takes `CAP_SYS_PTRACE`, with which `hidepid` shows every process as well. Only the
    /// second is asked for here: without the first there are refusals, which are told as a gap.
    public static var isPermitted: Bool {
        ProcessCapabilities.current?.contains(.trace) == true
    }

    /// Looks at every process.
    ///
    /// - Parameter mayAsk: Whether files of this mount are wanted, and the file system that it shows answers at once.
    /// - Returns: What was found, and why there may be more.
    public func scan(mayAsk: (MountTable.Mount, MountTrust) -> Bool) -> OpenFileScan {
        withoutActuallyEscaping(mayAsk) { mayAsk in
            let look = OpenFileLook(limits: limits, caller: caller, mayAsk: mayAsk)
            look.run()
            return look.scan
        }
    }
}
