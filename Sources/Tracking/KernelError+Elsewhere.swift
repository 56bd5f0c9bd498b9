internal import Kernel
internal import SystemPackage

extension KernelError {
    /// The path leads elsewhere by now: it or a name on it is gone, or is no directory, a link, or a mount.
    var leadsElsewhere: Bool {
        errno == .noSuchFileOrDirectory || errno == .notDirectory || errno == .tooManySymbolicLinkLevels
            || errno == .improperLink
    }

    /// What to do about it, to follow its description; empty where that is plain.
    var advice: String {
        errno == .permissionDenied || errno == .notPermitted
            ? "; the daemon needs to be root or to have CAP_DAC_READ_SEARCH" : ""
    }
}
