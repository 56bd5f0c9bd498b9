public import Wire

/// What `doctor` found; its JSON is that of `usage-client doctor --json`.
public struct DoctorReport: Codable, Hashable, Sendable {
    public var schema: Int
    public var findings: [Finding]
    /// What the daemon said of itself; absent where it gave no answer.
    public var facts: DoctorFacts?

    public init(_ facts: DoctorFacts) {
        schema = WireCoding.schema
        findings = DoctorRules.findings(facts)
        self.facts = facts
    }

    public init(_ error: ClientError) {
        schema = WireCoding.schema
        findings = [DoctorRules.finding(error)]
    }
}
