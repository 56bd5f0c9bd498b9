internal import Synchronization

/// Asks a ``Soak`` to end in good order, after its round.
///
/// Cancelling its task would end what it waits for, the removal of its daemons and directories included.
package final class SoakStop: Sendable {
    private let flag = Atomic(false)

    package init() {}

    package var isRequested: Bool { flag.load(ordering: .relaxed) }

    package func request() { flag.store(true, ordering: .relaxed) }
}
