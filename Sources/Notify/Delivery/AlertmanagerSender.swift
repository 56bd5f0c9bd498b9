internal import FoundationEssentials
internal import Settings
internal import Wire

/// Posts notices to an Alertmanager, which forgets an alert that is not told again in time.
final class AlertmanagerSender: Sender {
    let batchLimit = 64
    private let instance: String
    /// How long an alert fires unless it is told again, seconds: several tellings may fail.
    private let validity: Int64
    private let now: @Sendable () -> Int64
    private let client: HTTPClient

    /// `now` is in seconds since the epoch.
    init(
        endpoint: Receiver.Endpoint, timeout: Duration, interval: Duration, instance: String,
        now: @escaping @Sendable () -> Int64
    ) {
        self.instance = instance
        self.now = now
        validity = max(4 * interval.components.seconds, 300)
        client = HTTPClient(endpoint, path: "/api/v2/alerts", timeout: timeout)
    }

    func deliver(
        _ notices: [Notice], isRepeat: Bool, isStopped: @escaping @Sendable () -> Bool
    ) -> DeliveryOutcome {
        let until = WireCoding.timestamp(wallNanoseconds: (now() + validity) * 1_000_000_000)
        let alerts = notices.map { PostableAlert($0, instance: instance, validUntil: until) }
        return client.post(PlainJSON.encode(alerts), isStopped: isStopped)
    }
}
