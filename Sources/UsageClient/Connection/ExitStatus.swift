/// How `usage-client` ends; `check` has its own, ``CheckResult/Level``.
public enum ExitStatus: Int32, Sendable {
    case done = 0
    /// Something failed, or was not found.
    case failed = 1
    case wrongUsage = 2
    case noDaemon = 3
    case notPermitted = 4
}
