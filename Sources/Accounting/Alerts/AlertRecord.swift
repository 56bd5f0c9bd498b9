/// That a container breaks a rule, or no longer does.
public struct AlertRecord: Hashable, Sendable, Codable {
    public enum State: String, Hashable, Sendable, Codable {
        case firing, resolved
    }

    /// The rule's name.
    public var rule: String
    public var severity: AlertRule.Severity
    public var state: State
    /// The container's store.
    public var store: StoreIdentity
    /// The container's name, as the store has it.
    public var container: String
    public var containerID: String
    public var image: String
    /// The figure that the rule is about, as it was last known.
    public var valueBytes: Int64
    public var limitBytes: Int64
    /// The window of a growth rule.
    public var windowSeconds: Int?
    /// When it entered ``state``; wall clock, nanoseconds since the epoch.
    public var since: Int64
    /// One line for people, fit for printing.
    public var message: String
    /// What grew, the most first: within the window, for a size rule within a day.
    public var top: [PathGrowth]

    public init(
        rule: String, severity: AlertRule.Severity, state: State, store: StoreIdentity, container: String,
        containerID: String, image: String, valueBytes: Int64, limitBytes: Int64, windowSeconds: Int? = nil,
        since: Int64, message: String, top: [PathGrowth] = []
    ) {
        self.rule = rule
        self.severity = severity
        self.state = state
        self.store = store
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

    var key: ContainerKey {
        ContainerKey(store: store, id: containerID)
    }
}
