internal import Wire

/// Inotify instances: one for each of the tracker's threads and one for each store.
struct InstanceRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        let instances = facts.instances
        let limit = instances.limit?.value
        guard facts.isReason(ReasonText.instances) || limit.map({ instances.needed > $0 }) == true else {
            return []
        }
        let allowed =
            limit.map { "user \(facts.uid) may have \($0)" } ?? "how many are allowed cannot be read"
        let setting =
            instances.limit ?? DoctorFacts.Limit(value: 0, setting: "fs.inotify.max_user_instances")
        return [
            Finding(
                id: "instances", severity: .problem,
                what: """
                    Inotify instances are used up: the daemon has \(instances.used) of \(instances.needed), \
                    \(allowed).
                    """,
                why: """
                    Without one, layers or a store's metadata are looked at in intervals only, and no answer is exact. \
                    Other programs of the same user share the limit. The daemon takes a higher one up by itself.
                    """,
                commands: DoctorCommand.sysctl(setting, DoctorCommand.roomy(limit ?? 0, atLeast: 256)))
        ]
    }
}

/// Events that were lost because a queue was full.
struct QueueRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        let queue = facts.queue
        guard queue.overflows > 0 else { return [] }
        let times = queue.overflows == 1 ? "once" : "\(queue.overflows) times"
        if let length = queue.length, let limit = queue.limit?.value, limit > length {
            return [
                Finding(
                    id: "queue", severity: .warning,
                    what: """
                        The kernel's event queue ran over \(times); it holds \(length) events, and \(limit) are allowed by \
                        now.
                        """,
                    why: """
                        After each everything is looked at again. A queue keeps its length: the daemon takes the longer \
                        one when it runs over next, or at a restart.
                        """,
                    commands: [DoctorCommand.restart])
            ]
        }
        let length = queue.length ?? queue.limit?.value
        return [
            Finding(
                id: "queue", severity: .warning,
                what:
                    "The kernel's event queue ran over \(times)\(length.map { "; it holds \($0) events" } ?? "").",
                why: """
                    After each everything is looked at again, and answers are not exact until then. It does no harm if \
                    it is rare. The daemon takes a higher limit up when a queue runs over next, or at a restart.
                    """,
                commands: DoctorCommand.sysctl(
                    queue.limit ?? DoctorFacts.Limit(value: 0, setting: "fs.inotify.max_queued_events"),
                    DoctorCommand.roomy(length ?? 0, atLeast: 65_536)))
        ]
    }
}
