public import Wire

/// What an alert stays known by while it fires, is resolved and fires again.
public struct AlertKey: Hashable, Sendable, Codable {
    public var rule: String
    public var engine: String
    public var root: String
    public var containerID: String

    public init(_ alert: Alert) {
        rule = alert.rule
        engine = alert.engine
        root = alert.root
        containerID = alert.containerID
    }
}
