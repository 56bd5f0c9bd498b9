import Accounting

extension NodeReader {
    private enum Kind: String, CaseIterable {
        case size, growth
    }

    private static let ruleKeys = [
        "name", "kind", "limit", "window", "clear", "for", "severity", "match", "enabled",
    ]

    /// The rules of one file, without those that are wrong.
    mutating func alerts(_ field: Field) -> [NamedSetting<AlertRule>] {
        named(field, "rule", keys: Self.ruleKeys, content: ["kind", "limit"]) { reader, name, entry, fields in
            reader.rule(named: name, entry, fields)
        }
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
            engine: value(fields["engine"], SettingsText.pattern),
            name: value(fields["name"], SettingsText.pattern),
            image: value(fields["image"], SettingsText.pattern))
        for (name, value, _) in fields["labels"].flatMap({ openMapping($0) }) ?? [] {
            match.labels[name] = self.value(value, SettingsText.pattern)
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
}
