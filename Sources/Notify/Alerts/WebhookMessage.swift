internal import Wire

/// The body that Alertmanager posts to webhooks, version 4, so that receivers made for it work.
struct WebhookMessage: Encodable {
    struct Entry: Encodable {
        var status: String
        var labels: [String: String]
        var annotations: [String: String]
        var startsAt: String
        var endsAt: String
        var generatorURL: String
        var fingerprint: String
    }

    /// Go's zero time, which stands for "not yet".
    private static let noTime = "0001-01-01T00:00:00Z"

    var version = "4"
    var groupKey: String
    var truncatedAlerts = 0
    var status: String
    var receiver: String
    var groupLabels: [String: String]
    var commonLabels: [String: String]
    var commonAnnotations: [String: String]
    var externalURL: String
    var alerts: [Entry]

    /// Takes notices of one rule, at least one.
    init(_ notices: [Notice], receiver: String, instance: String) {
        let entries = notices.map { notice in
            let labels = AlertLabels(notice, instance: instance)
            let alert = notice.alert
            return Entry(
                status: alert.state.rawValue, labels: labels.labels, annotations: labels.annotations,
                startsAt: notice.beginning?.since ?? alert.since,
                endsAt: alert.state == .firing ? Self.noTime : alert.since, generatorURL: "",
                fingerprint: labels.fingerprint)
        }
        let rule = notices.first?.alert.rule ?? ""
        self.receiver = receiver
        alerts = entries
        status = entries.contains { $0.status == "firing" } ? "firing" : "resolved"
        groupLabels = ["alertname": rule]
        groupKey = "{}:{alertname=\"\(rule)\"}"
        commonLabels = Self.common(entries.map(\.labels))
        commonAnnotations = Self.common(entries.map(\.annotations))
        externalURL = "http://\(instance)"
    }

    private static func common(_ all: [[String: String]]) -> [String: String] {
        guard let first = all.first else { return [:] }
        return first.filter { name, value in all.dropFirst().allSatisfy { $0[name] == value } }
    }
}
