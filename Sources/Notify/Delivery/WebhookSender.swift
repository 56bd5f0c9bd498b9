internal import FoundationEssentials
internal import Settings

/// Posts notices of one rule together, in the shape of Alertmanager's webhook.
final class WebhookSender: Sender {
    let batchLimit = 64
    private let receiver: String
    private let instance: String
    private let client: HTTPClient

    init(receiver: String, endpoint: Receiver.Endpoint, timeout: Duration, instance: String) {
        self.receiver = receiver
        self.instance = instance
        client = HTTPClient(endpoint, timeout: timeout)
    }

    func deliver(
        _ notices: [Notice], isRepeat: Bool, isStopped: @escaping @Sendable () -> Bool
    ) -> DeliveryOutcome {
        let message = WebhookMessage(notices, receiver: receiver, instance: instance)
        return client.post(PlainJSON.encode(message), isStopped: isStopped)
    }
}
