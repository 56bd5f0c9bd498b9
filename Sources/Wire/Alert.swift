/// A rule that a container broke, or no longer breaks.
public struct Alert: Codable, Hashable, Sendable {
    public enum Severity: String, Codable, Hashable, Sendable {
        case warning, critical
    }

    public enum State: String, Codable, Hashable, Sendable {
        case firing, resolved
    }

    public var rule: String
    public var severity: Severity
    public var state: State
    public var engine: String
    /// The root of the container's store.
    public var root: String
    public var container: String
    public var containerID: String
    public var image: String
    public var valueBytes: Int64
    public var limitBytes: Int64
    /// The window of a `growth` rule.
    @Nullable public var windowSeconds: Int?
    /// When it entered `state`, RFC 3339.
    public var since: String
    /// One line for people.
    public var message: String
    /// What grew, the most first.
    public var top: [PathGrowth]

    public init(
        rule: String, severity: Severity, state: State, engine: String, root: String, container: String,
        containerID: String, image: String, valueBytes: Int64, limitBytes: Int64, windowSeconds: Int?,
        since: String,
        message: String,
        top: [PathGrowth]
    ) {
        self.rule = rule
        self.severity = severity
        self.state = state
        self.engine = engine
        self.root = root
        self.container = container
        self.containerID = containerID
        self.image = image
        self.valueBytes = valueBytes
        self.limitBytes = limitBytes
        self.windowSeconds = windowSeconds
        self.since = since
        self.message = message
        self.top = top
    }

    enum CodingKeys: String, CodingKey {
        case rule, severity, state, engine, root, container, image, valueBytes, limitBytes, windowSeconds,
            since
        case message, top
        case containerID = "containerId"
    }
}

/// `GET /v1/alerts`: what fires now, and what was resolved lately, the newest first.
public struct AlertList: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var alerts: [Alert]
    /// The names of the rules in force.
    public var rules: [String]

    public init(schema: Int = WireCoding.schema, time: String, exact: Bool, alerts: [Alert], rules: [String])
    {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.alerts = alerts
        self.rules = rules
    }
}
