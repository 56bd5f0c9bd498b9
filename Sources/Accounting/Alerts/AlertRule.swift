/// A limit on what containers write, and when breaking it is told.
public struct AlertRule: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The allocated bytes of a writable layer.
        case size
        /// By how many allocated bytes a writable layer grew within a window.
        case growth(windowSeconds: Int)

        /// The window of ``growth(windowSeconds:)``.
        public var windowSeconds: Int? {
            if case .growth(let seconds) = self { return seconds }
            return nil
        }
    }

    public enum Severity: String, Hashable, Sendable, Codable, CaseIterable {
        case warning, critical
    }

    /// Unique among the rules in force.
    public var name: String
    public var kind: Kind
    /// More than this breaks the rule.
    public var limitBytes: Int64
    /// Less than this resolves the alert; what lies between changes nothing.
    public var clearBytes: Int64
    /// How long the rule must stay broken before it is told.
    public var forSeconds: Int
    public var severity: Severity
    public var match: AlertMatch

    /// Makes a rule; figures out of range take the nearest that makes sense.
    ///
    /// Without `clearBytes` the clear level is 90 % of the limit.
    public init(
        name: String, kind: Kind, limitBytes: Int64, clearBytes: Int64? = nil, forSeconds: Int = 0,
        severity: Severity = .warning, match: AlertMatch = AlertMatch()
    ) {
        self.name = name
        self.kind = kind
        self.limitBytes = max(1, limitBytes)
        let clear = clearBytes ?? Self.defaultClearBytes(limitBytes: self.limitBytes)
        self.clearBytes = max(1, min(clear, self.limitBytes))
        self.forSeconds = max(0, forSeconds)
        self.severity = severity
        self.match = match
    }

    public static func defaultClearBytes(limitBytes: Int64) -> Int64 {
        limitBytes / 10 * 9 + limitBytes % 10 * 9 / 10
    }
}
