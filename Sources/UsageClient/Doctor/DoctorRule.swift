public import Wire

/// Finds one kind of fault in what the daemon says of itself: a pure function.
protocol DoctorRule: Sendable {
    func findings(_ facts: DoctorFacts) -> [Finding]
}

/// All rules; a new kind of finding is a new type in this list.
public enum DoctorRules {
    private static let all: [any DoctorRule] = [
        StoreRule(), KernelRule(), WatchRule(), WatchBudgetRule(), InstanceRule(), OpenFileRule(),
        QueueRule(),
        MemoryRule(), CapabilityRule(), ConfigurationRule(),
    ]

    /// What is wrong, the problems first.
    public static func findings(_ facts: DoctorFacts, units: [UnitState] = []) -> [Finding] {
        let all = UnitRule.findings(units) + all.flatMap { $0.findings(facts) }
        return all.filter { $0.severity == .problem } + all.filter { $0.severity == .warning }
    }

    /// The finding that the daemon gave no answer.
    public static func finding(_ error: ClientError) -> Finding {
        let lines = error.message.split(separator: "\n", maxSplits: 1).map(String.init)
        return Finding(
            id: error.exitStatus == .notPermitted ? "permission" : "daemon", severity: .problem,
            what: lines.first ?? error.message, why: lines.count > 1 ? lines[1] : "")
    }
}

extension DoctorFacts {
    /// Whether a store or a container is not exact for a reason with this text in it.
    func isReason(_ text: String, unless other: String? = nil) -> Bool {
        (sources.map(\.reason) + containers.map(\.reason)).contains { reason in
            reason?.contains(text) == true && other.map { reason?.contains($0) != true } ?? true
        }
    }
}

/// What the daemon's reasons name: the limit that was met.
enum ReasonText {
    static let watches = "max_user_watches"
    static let watchBudget = "tracking.watch_budget"
    static let instances = "max_user_instances"
    static let openFiles = "LimitNOFILE="
    static let memory = "files that there is memory for"

    static let all = [watches, watchBudget, instances, openFiles, memory]
}

enum DoctorCommand {
    /// Sets a sysctl now and for good; nothing for a name that is none of those the daemon is held by.
    static func sysctl(_ limit: DoctorFacts.Limit?, _ value: Int) -> [String] {
        let known = ["watches", "instances"].flatMap {
            ["fs.inotify.max_user_\($0)", "user.max_inotify_\($0)"]
        }
        guard let setting = limit?.setting, (known + ["fs.inotify.max_queued_events"]).contains(setting)
        else {
            return []
        }
        return [
            "sudo sysctl -w \(setting)=\(value)",
            "echo '\(setting) = \(value)' | sudo tee -a /etc/sysctl.d/50-usaged.conf",
        ]
    }

    static let restart = "sudo systemctl restart usaged.service"

    /// The next power of two that is at least twice as many.
    static func roomy(_ need: Int, atLeast least: Int) -> Int {
        var value = least
        while value < 1 << 40, value / 2 < need { value *= 2 }
        return value
    }
}
