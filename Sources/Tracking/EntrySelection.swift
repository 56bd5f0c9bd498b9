internal import Accounting
internal import Kernel

/// Which entries of a tree's root count; used by one thread.
final class EntrySelection {
    private let entries: [NamePattern]
    /// The root as it is open now; it lives as long as its owner has it open.
    weak var root: Directory?

    /// `nil` where all entries count, and the root itself.
    init?(_ entries: [NamePattern]) {
        guard !entries.isEmpty else { return nil }
        self.entries = entries
    }

    func isRoot(_ directory: Directory) -> Bool {
        directory === root
    }

    func leavesOut(_ name: FileName, in directory: Directory) -> Bool {
        isRoot(directory) && !entries.contains { $0.matches(name.bytes) }
    }
}
