public import Wire

/// What `doctor` found; its JSON is that of `usage-client doctor --json`.
public struct DoctorReport: Codable, Hashable, Sendable {
    public var schema: Int
    public var findings: [Finding]
    /// What the daemon said of itself; absent where it gave no answer.
    public var facts: DoctorFacts?

    public init(_ facts: DoctorFacts, units: [UnitState] = []) {
        schema = WireCoding.schema
        findings = DoctorRules.findings(facts, units: units)
        self.facts = facts
    }

    public init(_ error: ClientError, units: [UnitState] = []) {
        schema = WireCoding.schema
        findings = [DoctorRules.finding(error)] + UnitRule.findings(units)
    }
}
