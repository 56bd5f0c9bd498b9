internal import FoundationEssentials
public import Wire

/// One thing to tell a receiver: that an alert fires, or that it is resolved.
public struct Notice: Hashable, Sendable, Codable {
    /// How a receiver was told of the alert when it began to fire: what it knows the alert by must not change when
    /// the container is renamed meanwhile.
    public struct Beginning: Hashable, Sendable, Codable {
        /// RFC 3339.
        public var since: String
        public var severity: Alert.Severity
        public var container: String
        public var image: String

        init(_ alert: Alert) {
            since = alert.since
            severity = alert.severity
            container = alert.container
            image = alert.image
        }
    }

    public var alert: Alert
    /// `nil` for a resolved alert whose beginning nobody saw.
    public var beginning: Beginning?

    public init(_ alert: Alert, beginning: Beginning? = nil) {
        self.alert = alert
        self.beginning = alert.state == .firing ? beginning ?? Beginning(alert) : beginning
    }

    public var key: AlertKey { AlertKey(alert) }

    private static let textLimit = 4 << 10
    private static let pathLimit = 8 << 10

    /// The notice cut to what a queue takes: others choose names, messages and paths.
    var bounded: Notice {
        var notice = self
        let texts: [WritableKeyPath<Alert, String>] = [\.container, \.image, \.message, \.root]
        for text in texts { notice.alert[keyPath: text] = Self.cut(notice.alert[keyPath: text]) }
        if var beginning {
            beginning.container = Self.cut(beginning.container)
            beginning.image = Self.cut(beginning.image)
            notice.beginning = beginning
        }
        var paths = 0
        notice.alert.top = notice.alert.top.prefix { entry in
            paths += entry.path.utf8.count
            return paths <= Self.pathLimit
        }
        return notice
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: textLimit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
