internal import SystemPackage

extension KernelError {
    /// Whether it failed for want of something that may be there again a moment later: it says nothing of the file.
    public var isScarcity: Bool {
        switch errno {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory: true
        // Of these two, "no space" means no watch; of any other call, a full disk.
        case .noSpace: call == "inotify_add_watch"
        default: false
        }
    }

    /// What an operator can do about it, for the end of a sentence; `nil` where nothing can be said.
    public var remedy: String? {
        if errno == .permissionDenied || errno == .notPermitted {
            return "the daemon needs to be root or to have CAP_DAC_READ_SEARCH"
        }
        guard isScarcity else { return nil }
        return switch errno {
        case .noSpace: "raise the sysctl fs.inotify.max_user_watches"
        case .noMemory: "the kernel has no memory for it; free some, or raise MemoryMax= of usaged.service"
        case .tooManyOpenFilesInSystem: "raise the sysctl fs.file-max"
        case _ where call == "inotify_init1":
            "raise the sysctl fs.inotify.max_user_instances, or LimitNOFILE= of usaged.service"
        default: "raise LimitNOFILE= of usaged.service"
        }
    }

    /// What failed and what to do.
    public var advice: String { remedy.map { "\(self); \($0)" } ?? "\(self)" }
}
