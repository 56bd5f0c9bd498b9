internal import FoundationEssentials
public import Wire

/// Limits as this process sees them, for a daemon from which they are hidden.
public enum HostLimits {
    /// Fills in the limits that are missing.
    public static func complete(_ facts: inout DoctorFacts) {
        facts.watches.limit = facts.watches.limit ?? limit("fs.inotify.max_user_watches")
        facts.instances.limit = facts.instances.limit ?? limit("fs.inotify.max_user_instances")
        facts.queue.limit = facts.queue.limit ?? limit("fs.inotify.max_queued_events")
    }

    private static func limit(_ setting: String) -> DoctorFacts.Limit? {
        let path = "/proc/sys/" + setting.replacing(".", with: "/")
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let value = Int(text.filter { !$0.isWhitespace })
        else { return nil }
        return DoctorFacts.Limit(value: value, setting: setting)
    }
}
