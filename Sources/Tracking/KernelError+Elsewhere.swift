internal import Kernel
internal import SystemPackage

extension KernelError {
    /// The path leads elsewhere by now: it or a name on it is gone, or is no directory, a link, or a mount.
    var leadsElsewhere: Bool {
        errno == .noSuchFileOrDirectory || errno == .notDirectory || errno == .tooManySymbolicLinkLevels
            || errno == .improperLink
    }
}
