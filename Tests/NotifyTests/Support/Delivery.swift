import Kernel
import Settings
import UsageTestKit
import Wire

@testable import Notify

/// A courier with its queue, as `notify` runs one for each receiver.
final class Delivery: Sendable {
    let store: ReceiverStore
    let courier: Courier
    let log = LogKeeper()

    init(_ receiver: Receiver, _ scratch: ScratchDirectory) throws {
        store = try ReceiverStore(path: scratch("\(receiver.name).queue"))
        courier = try Courier(
            name: receiver.name, store: store, interval: receiver.repeatInterval, logger: log.logger,
            now: NotifyService.seconds, changed: {})
        courier.start(NotifyService.maker(for: receiver, instance: "host-1", logger: log.logger))
    }

    func tell(_ alerts: [Alert]) {
        if store.take(alerts, isWanted: { _ in true }) { courier.wake() }
    }

    func stop() async throws {
        courier.stop()
        try await wait(until: "the courier to end") { courier.hasEnded }
    }
}

extension Receiver {
    static func webhook(_ hook: WebReceiver, timeout: Duration = .seconds(10)) -> Receiver {
        Receiver(name: "hook", kind: .webhook(Endpoint(address: .url(hook.url))), timeout: timeout)
    }
}
