public import Logging
public import Settings
internal import Glibc
internal import Wire

/// Sends each receiver one alert that says that it is a test.
public enum NotifyTrial {
    public struct Outcome: Hashable, Sendable, Encodable {
        public var receiver: String
        public var delivered: Bool
        /// Why not.
        public var reason: String?
    }

    /// Sends to one receiver, and waits for it.
    public static func run(_ receiver: Receiver, logger: Logger) -> Outcome {
        let sender = NotifyService.maker(for: receiver, instance: NotifyService.hostName(), logger: logger)()
        var notice = Notice(alert)
        let outcome = deliver(notice, sender)
        guard outcome.delivered else { return result(receiver, outcome) }
        // Where something keeps alerts, this one must not stay.
        notice.alert.state = .resolved
        return result(receiver, deliver(notice, sender))
    }

    private static func deliver(
        _ notice: Notice, _ sender: any Sender
    ) -> (delivered: Bool, reason: String?) {
        switch sender.deliver([notice], isRepeat: false, isStopped: { false }) {
        case .delivered: (true, nil)
        case .failed(let reason, _), .refused(let reason): (false, reason)
        }
    }

    private static func result(_ receiver: Receiver, _ outcome: (delivered: Bool, reason: String?)) -> Outcome
    {
        Outcome(receiver: receiver.name, delivered: outcome.delivered, reason: outcome.reason)
    }

    private static var alert: Alert {
        Alert(
            rule: "usaged-test", severity: .warning, state: .firing, engine: "test", root: "/",
            container: "test", containerID: "test", image: "test", valueBytes: 0, limitBytes: 0,
            windowSeconds: nil,
            since: WireCoding.timestamp(wallNanoseconds: Int64(time(nil)) * 1_000_000_000),
            message: "a test of usage-client notify: nothing is wrong", top: [])
    }
}
