internal import Journal
internal import Synchronization

/// The line that the service manager shows of the daemon, sent when it changes.
///
/// Several threads tell it. What is shown last is kept here, so that none takes another's line for its own.
final class ServiceStatus: Sendable {
    private let manager: ServiceManager
    private let shown = Mutex("")

    init(_ manager: ServiceManager) {
        self.manager = manager
    }

    /// The daemon serves, or has read its configuration again.
    func ready(_ text: String) {
        shown.withLock {
            $0 = text
            manager.notify(ready: text)
        }
    }

    func show(_ text: String) {
        shown.withLock {
            guard $0 != text else { return }
            $0 = text
            manager.status(text)
        }
    }
}
