internal import Wire

/// A daemon that may not look everywhere.
struct CapabilityRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        guard !facts.missingCapabilities.isEmpty else { return [] }
        let names = facts.missingCapabilities.joined(separator: ", ")
        return [
            Finding(
                id: "capability", severity: .problem, what: "The daemon, user \(facts.uid), lacks \(names).",
                why: """
                    With it every directory can be listed, and nothing written. Without, stores of other users are \
                    stale. usaged.service gives it, if no drop-in takes it away; a daemon that is started by hand \
                    needs root.
                    """,
                commands: [
                    "systemctl show usaged.service -p User,AmbientCapabilities,CapabilityBoundingSet,DropInPaths"
                ])
        ]
    }
}
