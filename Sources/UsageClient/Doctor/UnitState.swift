/// What the service manager says of one of the units; see systemctl(1).
public struct UnitState: Hashable, Sendable {
    public var name: String
    /// `active`, `inactive`, `failed` or what is between.
    public var active: String
    /// Why it failed: `exit-code`, `signal`, `watchdog`, `start-limit-hit` and others; `success` else.
    public var result: String
    /// Of the last process of a service.
    public var exitStatus: Int
    /// Starts of the service manager's own since an operator started it.
    public var restarts: Int

    public init(
        name: String, active: String, result: String = "success", exitStatus: Int = 0, restarts: Int = 0
    ) {
        self.name = name
        self.active = active
        self.result = result
        self.exitStatus = exitStatus
        self.restarts = restarts
    }

    var isChanging: Bool { ["activating", "deactivating"].contains(active) }

    static let properties = "Id,LoadState,ActiveState,Result,ExecMainStatus,NRestarts"

    /// Reads what `systemctl show -p` prints of several units; those that are not installed are left out.
    static func parse(_ text: String) -> [UnitState] {
        var units: [UnitState] = []
        var values: [Substring: Substring] = [:]
        func end() {
            if let name = values["Id"], let active = values["ActiveState"], values["LoadState"] == "loaded" {
                units.append(
                    UnitState(
                        name: String(name), active: String(active),
                        result: String(values["Result"] ?? "success"),
                        exitStatus: values["ExecMainStatus"].flatMap { Int($0) } ?? 0,
                        restarts: values["NRestarts"].flatMap { Int($0) } ?? 0))
            }
            values = [:]
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard !line.isEmpty else {
                end()
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        end()
        return units
    }
}
