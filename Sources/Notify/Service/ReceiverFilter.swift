internal import Accounting
internal import Settings
internal import Wire

extension Receiver {
    /// Whether it is to be sent the alert.
    func wants(_ alert: Alert) -> Bool {
        if severity == .critical, alert.severity != .critical { return false }
        if let rule = match.rule, !rule.matches(alert.rule) { return false }
        if let engine = match.engine, !engine.matches(alert.engine) { return false }
        if let name = match.name, !name.matches(alert.container) { return false }
        if let image = match.image {
            let latest = ":latest"
            let names =
                [alert.image]
                + (alert.image.hasSuffix(latest) ? [String(alert.image.dropLast(latest.count))] : [])
            if !names.contains(where: image.matches) { return false }
        }
        return true
    }
}
