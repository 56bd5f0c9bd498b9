internal import Accounting
internal import Kernel

/// The file system that holds a store's layers, to tell a store that was emptied from one whose disk is not mounted.
struct StoreDevice {
    private var device: UInt64?

    /// What is wrong with a reading that found nothing, where what was found before is on another file system.
    mutating func problem(of facts: StoreFacts) -> StoreProblem? {
        let root = facts.store.root
        let now = (try? FileStatus.of(path: root))?.identity.device
        guard facts.layers.isEmpty else {
            device = now
            return nil
        }
        guard let device, let now, device != now else { return nil }
        return StoreProblem(
            severity: .unreadable, object: .store, path: root,
            reason: """
                it is empty, and on another file system than the store that was here: mount that again, or restart \
                usaged to follow what is here now
                """)
    }
}
