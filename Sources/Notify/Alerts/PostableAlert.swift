internal import Wire

/// An alert as `POST /api/v2/alerts` of an Alertmanager takes it.
struct PostableAlert: Encodable {
    var labels: [String: String]
    var annotations: [String: String]
    var startsAt: String
    var endsAt: String

    /// One that fires ends at `validUntil`, RFC 3339, unless it is told again.
    init(_ notice: Notice, instance: String, validUntil: String) {
        let described = AlertLabels(notice, instance: instance)
        labels = described.labels
        annotations = described.annotations
        startsAt = notice.beginning?.since ?? notice.alert.since
        endsAt = notice.alert.state == .firing ? validUntil : notice.alert.since
        // A clock that was set back must not make the Alertmanager refuse the alert.
        if endsAt < startsAt { startsAt = endsAt }
    }
}
