/// One thing that is not as it should be, and what to do about it.
///
/// Its texts may hold what a daemon, a container or a file chose; ``Render`` escapes them.
public struct Finding: Codable, Hashable, Sendable {
    public enum Severity: String, Codable, Hashable, Sendable {
        /// Figures are not exact, or not to be had, because of it.
        case problem
        /// It will be a problem if it goes on.
        case warning
    }

    /// Which rule found it; stable, for scripts.
    public var id: String
    public var severity: Severity
    /// What is found, one sentence.
    public var what: String
    /// Why it matters and what to do, in sentences.
    public var why: String
    /// Shell commands that mend it, in their order; none holds a text that others chose.
    public var commands: [String]

    public init(id: String, severity: Severity, what: String, why: String, commands: [String] = []) {
        self.id = id
        self.severity = severity
        self.what = what
        self.why = why
        self.commands = commands
    }
}
