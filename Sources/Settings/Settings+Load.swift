import Accounting

extension Settings {
    private static let keys = [
        "stores", "socket", "state_directory", "log_level", "alerts", "tracking", "docker", "notify",
    ]

    /// Rules that can be in force at once.
    private static let ruleLimit = 200
    private static let receiverLimit = 32

    /// Reads the configuration from the contents of its files.
    ///
    /// What a later file sets takes the place of what an earlier one did: value by value, the list of stores as
    /// a whole, alert rules and receivers by name. One with `enabled: false` is not in force.
    ///
    /// - Parameter files: In the order in which they count.
    /// - Returns: The settings.
    /// - Throws: ``SettingsError`` with everything that is wrong, not only the first.
    public static func load(files: [(path: String, bytes: [UInt8])]) throws(SettingsError) -> Settings {
        var settings = Settings()
        var issues: [SettingsIssue] = []
        for file in files {
            do throws(SettingsError) {
                let document = try YAMLDocument(file: file.path, bytes: file.bytes)
                var reader = NodeReader(file: file.path)
                if let root = document.root, !NodeReader.isNull(root) {
                    settings.take(Field(key: "", node: root), &reader)
                }
                issues += reader.issues.sorted {
                    // What has no line, as that there are more errors, stands at the end.
                    ($0.line ?? .max, $0.column ?? 0) < ($1.line ?? .max, $1.column ?? 0)
                }
            } catch {
                issues += error.issues
            }
        }
        if settings.alerts.count > ruleLimit, let last = files.last {
            issues.append(
                SettingsIssue(
                    file: last.path, key: "alerts",
                    message:
                        "\(settings.alerts.count) rules are in force, \(ruleLimit) are allowed; use patterns")
            )
        }
        if settings.receivers.count > receiverLimit, let last = files.last {
            issues.append(
                SettingsIssue(
                    file: last.path, key: "notify.receivers",
                    message:
                        "\(settings.receivers.count) receivers are in force, \(receiverLimit) are allowed"))
        }
        guard issues.isEmpty else { throw SettingsError(issues: issues) }
        return settings
    }

    private mutating func take(_ root: Field, _ reader: inout NodeReader) {
        guard let fields = reader.mapping(root, allowed: Self.keys) else { return }
        if let field = fields["stores"] { takeStores(field, &reader) }
        if let field = fields["socket"], let socket = reader.mapping(field, allowed: ["path", "group"]) {
            reader.value(socket["path"], Self.socketPath).map { socketPath = $0 }
            reader.value(socket["group"], Self.groupName).map { socketGroup = $0 }
        }
        reader.value(fields["state_directory"], SettingsText.absolutePath).map { stateDirectory = $0 }
        reader.choice(fields["log_level"]).map { logLevel = $0 }
        if let field = fields["docker"], let docker = reader.mapping(field, allowed: ["daemon_json"]) {
            reader.value(docker["daemon_json"], SettingsText.absolutePath).map { dockerDaemonJSON = $0 }
        }
        if let field = fields["tracking"] { tracking.take(field, &reader) }
        if let field = fields["alerts"] { alerts.take(reader.alerts(field), name: \.name) }
        if let field = fields["notify"], let notify = reader.mapping(field, allowed: ["receivers"]),
            let list = notify["receivers"]
        {
            receivers.take(reader.receivers(list), name: \.name)
        }
    }

    private mutating func takeStores(_ field: Field, _ reader: inout NodeReader) {
        guard let entries = reader.list(field) else { return }
        stores = []
        for entry in entries {
            guard let store = reader.value(entry, Store.init) else { continue }
            if stores.contains(store) {
                reader.reject(entry, "\(SettingsText.quote("\(store)")) is given twice")
            } else {
                stores.append(store)
            }
        }
    }

    private static func socketPath(_ text: String) throws(SettingsText.Rejection) -> String {
        // `sun_path` of unix(7) has 108 bytes with its NUL.
        guard text.utf8.count <= 107 else {
            throw SettingsText.Rejection("a socket's path may have 107 bytes at most")
        }
        return try SettingsText.absolutePath(text)
    }

    private static func groupName(_ text: String) throws(SettingsText.Rejection) -> String {
        let isAllowed = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        guard isAllowed, (1...32).contains(text.utf8.count), !text.hasPrefix("-") else {
            throw SettingsText.Rejection("\(SettingsText.quote(text)) is not the name of a group")
        }
        return text
    }
}

extension Settings.Tracking {
    private static let keys = [
        "batch_interval", "polling_interval", "audit_interval", "watch_budget", "barrier_deadline",
        "orphan_grace",
    ]

    fileprivate mutating func take(_ field: Field, _ reader: inout NodeReader) {
        guard let fields = reader.mapping(field, allowed: Self.keys) else { return }
        let hour: Int64 = 3_600_000
        reader.milliseconds(fields["batch_interval"], in: 10...1000).map { batchInterval = .milliseconds($0) }
        reader.milliseconds(fields["polling_interval"], in: 1000...hour).map {
            pollingInterval = .milliseconds($0)
        }
        reader.milliseconds(fields["audit_interval"], in: 60_000...30 * 24 * hour).map {
            auditInterval = .milliseconds($0)
        }
        reader.milliseconds(fields["barrier_deadline"], in: 50...30_000).map {
            barrierDeadline = .milliseconds($0)
        }
        reader.milliseconds(fields["orphan_grace"], in: 1000...30 * 24 * hour).map {
            orphanGrace = .milliseconds($0)
        }
        reader.value(fields["watch_budget"], Self.watchBudget).map { watchBudget = $0 }
    }

    private static func watchBudget(_ text: String) throws(SettingsText.Rejection) -> Int? {
        if text == "auto" { return nil }
        guard let count = Int(text), (64...100_000_000).contains(count) else {
            throw SettingsText.Rejection(
                "\(SettingsText.quote(text)) is neither auto nor a number from 64 to 100000000")
        }
        return count
    }
}
