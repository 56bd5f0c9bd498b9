internal import Wire

/// Watches: each directory of a writable layer needs one.
struct WatchRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        let watches = facts.watches
        let limit = watches.limit?.value
        let allowed = limit.map { "\($0) are allowed" } ?? "how many are allowed cannot be read"
        let value = DoctorCommand.roomy(max(watches.needed, limit ?? 0), atLeast: 65_536)
        let setting = watches.limit ?? DoctorFacts.Limit(value: 0, setting: "fs.inotify.max_user_watches")
        if facts.isReason(ReasonText.watches) || limit.map({ watches.needed > $0 }) == true {
            var what = "Watches are used up: \(watches.needed) are needed, \(allowed)"
            if let limit, watches.needed <= limit {
                what += "; other programs of user \(facts.uid) hold some"
            }
            return [
                Finding(
                    id: "watches", severity: .problem, what: what + ".",
                    why: """
                        Each directory of a writable layer takes one. A layer without is looked at in intervals only, \
                        and no answer is exact. The daemon takes a higher limit up by itself. Each watch costs about \
                        1 KiB of kernel memory, once it is taken.
                        """,
                    commands: DoctorCommand.sysctl(setting, value))
            ]
        }
        guard let limit, watches.needed > limit / 5 * 4 else { return [] }
        return [
            Finding(
                id: "watches", severity: .warning,
                what: "Watches run short: \(watches.needed) are needed, \(allowed).",
                why: "A layer that finds none is looked at in intervals only, and no answer is exact then.",
                commands: DoctorCommand.sysctl(setting, value))
        ]
    }
}

/// The configuration's own bound on watches.
struct WatchBudgetRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        guard facts.isReason(ReasonText.watchBudget), let budget = facts.watchBudget else { return [] }
        let value = DoctorCommand.roomy(max(facts.watches.needed, budget.value), atLeast: 1_024)
        return [
            Finding(
                id: "watch-budget", severity: .problem,
                what: """
                    The watches of the configuration are used up: \(facts.watches.needed) are needed, \
                    tracking.watch_budget is \(budget.value).
                    """,
                why: "A layer without watches is looked at in intervals only, and no answer is exact.",
                commands: [
                    "echo 'tracking: {watch_budget: \(value)}' | sudo tee /etc/usaged/conf.d/60-watch-budget.yaml",
                    DoctorCommand.restart,
                ])
        ]
    }
}
