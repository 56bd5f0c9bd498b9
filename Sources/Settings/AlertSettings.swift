import Accounting

/// One entry of `alerts`: a rule in force, or the name of one that is not.
struct AlertSetting {
    var name: String
    /// `nil` for `enabled: false`.
    var rule: AlertRule?
}

extension NodeReader {
    private enum Kind: String, CaseIterable {
        case size, growth
    }

    private static let ruleKeys = [
        "name", "kind", "limit", "window", "clear", "for", "severity", "match", "enabled",
    ]

    /// The rules of one file, without those that are wrong.
    mutating func alerts(_ field: Field) -> [AlertSetting] {
        var result: [AlertSetting] = []
        var lines: [String: Int?] = [:]
        for entry in list(field) ?? [] {
            guard let fields = mapping(entry, allowed: Self.ruleKeys) else { continue }
            guard let nameField = fields["name"] else {
                reject(entry, "a rule needs a name")
                _ = rule(named: "", entry, fields)
                continue
            }
            let name = value(nameField, Self.ruleName)
            if let name, let line = lines[name] {
                let place = line.map { " in line \($0)" } ?? ""
                reject(nameField, "the rule \(name) stands\(place) already; a file may give each name once")
                _ = rule(named: name, entry, fields)
                continue
            }
            if let name { lines[name] = .some(nameField.line) }
            let isEnabled = flag(fields["enabled"]) ?? true
            if !isEnabled, fields["kind"] == nil, fields["limit"] == nil {
                if let name { result.append(AlertSetting(name: name)) }
                continue
            }
            guard let rule = rule(named: name ?? "", entry, fields), let name else { continue }
            result.append(AlertSetting(name: name, rule: isEnabled ? rule : nil))
        }
        return result
    }

    private mutating func rule(named name: String, _ entry: Field, _ fields: [String: Field]) -> AlertRule? {
        let before = issues.count
        for required in ["kind", "limit"] where fields[required] == nil {
            reject(
                entry, "a rule needs \(required)" + (required == "kind" ? ": size or growth" : ", as 10GB"))
        }
        let kind: Kind? = choice(fields["kind"])
        let window = seconds(fields["window"], in: 1...86_400)
        if kind == .growth, fields["window"] == nil {
            reject(entry, "a growth rule needs a window, as 10m")
        } else if kind == .size, let field = fields["window"] {
            reject(field, "a size rule has no window; did you mean kind: growth?")
        }
        let limit = positiveBytes(fields["limit"])
        let clear = positiveBytes(fields["clear"])
        if let limit, let clear, clear > limit, let field = fields["clear"] {
            reject(field, "must not be above the limit: the alert could resolve while the rule is broken")
        }
        let forSeconds = seconds(fields["for"], in: 0...604_800)
        let severity: AlertRule.Severity? = choice(fields["severity"])
        let match = fields["match"].flatMap { self.match($0) }

        guard issues.count == before, let kind, let limit else { return nil }
        let ruleKind: AlertRule.Kind = kind == .size ? .size : .growth(windowSeconds: window ?? 1)
        return AlertRule(
            name: name, kind: ruleKind, limitBytes: limit, clearBytes: clear, forSeconds: forSeconds ?? 0,
            severity: severity ?? .warning, match: match ?? AlertMatch())
    }

    private mutating func match(_ field: Field) -> AlertMatch? {
        guard let fields = mapping(field, allowed: ["engine", "name", "image", "labels"]) else { return nil }
        var match = AlertMatch(
            engine: value(fields["engine"], Self.pattern), name: value(fields["name"], Self.pattern),
            image: value(fields["image"], Self.pattern))
        for (name, value, _) in fields["labels"].flatMap({ openMapping($0) }) ?? [] {
            match.labels[name] = self.value(value, Self.pattern)
        }
        return match
    }

    private mutating func positiveBytes(_ field: Field?) -> Int64? {
        value(field) { text throws(SettingsText.Rejection) in
            let bytes = try SettingsText.bytes(text)
            guard bytes > 0 else { throw SettingsText.Rejection("must be more than 0") }
            return bytes
        }
    }

    private static func pattern(_ text: String) throws(SettingsText.Rejection) -> Glob {
        guard (1...256).contains(text.unicodeScalars.count) else {
            throw SettingsText.Rejection("a pattern has 1 to 256 characters; * stands for any")
        }
        return Glob(text)
    }

    private static func ruleName(_ text: String) throws(SettingsText.Rejection) -> String {
        let isAllowed = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isAllowed, (1...64).contains(text.utf8.count) else {
            throw SettingsText.Rejection(
                "\(SettingsText.quote(text)) is no name for a rule; allowed are 1 to 64 letters, digits, - _ ."
            )
        }
        return text
    }
}
