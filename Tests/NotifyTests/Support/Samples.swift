import Foundation
import Wire

/// Alerts as the daemon tells them.
enum Samples {
    static func alert(
        _ container: String, _ state: Alert.State = .firing, since second: Int = 0, rule: String = "grow",
        severity: Alert.Severity = .warning, image: String = "shop:1", name: String? = nil,
        top: [PathGrowth] = []
    ) -> Alert {
        Alert(
            rule: rule, severity: severity, state: state, engine: "docker", root: "/var/lib/docker",
            container: name ?? container, containerID: "id-\(container)", image: image,
            valueBytes: 20_000_000,
            limitBytes: 10_000_000, windowSeconds: 60, since: time(second),
            message: "\(name ?? container) (image \(image)): writable layer grew 20MB in 60 s, limit 10MB",
            top: top)
    }

    static func time(_ second: Int) -> String {
        WireCoding.timestamp(wallNanoseconds: (1_790_000_000 + Int64(second)) * 1_000_000_000)
    }

    /// What tells a transition from any other, as text.
    static func transition(_ alert: Alert) -> String {
        "\(alert.rule) \(alert.containerID) \(alert.state.rawValue) \(alert.since)"
    }

    /// The same of an alert of a webhook's body.
    static func transition(_ posted: [String: Any]) -> String {
        let labels = posted["labels"] as? [String: String] ?? [:]
        let status = posted["status"] as? String ?? ""
        let since = posted[status == "firing" ? "startsAt" : "endsAt"] as? String ?? ""
        return "\(labels["alertname"] ?? "") \(labels["container_id"] ?? "") \(status) \(since)"
    }
}
