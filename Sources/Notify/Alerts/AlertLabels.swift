internal import Kernel
internal import Wire

/// An alert as labels and annotations, as Prometheus and Alertmanager have them.
///
/// The labels are what an alert is known by: they are the same when it fires, is told again and is resolved.
struct AlertLabels: Hashable, Sendable {
    var labels: [String: String]
    var annotations: [String: String]

    /// `instance` is the name of this host.
    init(_ notice: Notice, instance: String) {
        let alert = notice.alert
        let severity = notice.beginning?.severity ?? alert.severity
        labels = [
            "alertname": alert.rule, "severity": severity.rawValue, "instance": instance,
            "engine": alert.engine, "store": alert.root,
            "container": notice.beginning?.container ?? alert.container, "container_id": alert.containerID,
            "image": notice.beginning?.image ?? alert.image,
        ].filter { !$0.value.isEmpty }
        annotations = [
            "summary": alert.message, "value_bytes": String(alert.valueBytes),
            "limit_bytes": String(alert.limitBytes),
        ]
        if let window = alert.windowSeconds { annotations["window_seconds"] = String(window) }
        if !alert.top.isEmpty {
            let lines = alert.top.map { "\($0.growthBytes)\t\($0.path)" }
            annotations["growing_paths"] = lines.joined(separator: "\n")
        }
    }

    /// As Alertmanager makes it: FNV-1a over the sorted labels, 16 digits.
    var fingerprint: String {
        var hash = FNV1a()
        for (name, value) in labels.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            for text in [name, value] {
                hash.add(text.utf8)
                hash.add(CollectionOfOne(0xFF))
            }
        }
        return hash.digits
    }
}
