import Accounting

extension NodeReader {
    private enum Kind: String, CaseIterable {
        case command, webhook, alertmanager
    }

    private static let receiverKeys = [
        "name", "kind", "command", "url", "url_file", "headers", "bearer_token_file", "ca_file", "timeout",
        "severity", "match", "repeat", "enabled",
    ]
    private static let endpointKeys = ["url", "url_file", "headers", "bearer_token_file", "ca_file"]
    private static let argumentLimit = 64
    private static let headerLimit = 32

    /// The receivers of one file, without those that are wrong.
    mutating func receivers(_ field: Field) -> [NamedSetting<Receiver>] {
        named(
            field, "receiver", keys: Self.receiverKeys, content: ["kind", "command", "url", "url_file"]
        ) { reader, name, entry, fields in
            reader.receiver(named: name, entry, fields)
        }
    }

    private mutating func receiver(
        named name: String, _ entry: Field, _ fields: [String: Field]
    ) -> Receiver? {
        let before = issues.count
        // It names a file as well.
        if let field = fields["name"], name.hasPrefix(".") {
            reject(field, "a receiver's name must not begin with a dot")
        }
        if fields["kind"] == nil {
            reject(entry, "a receiver needs kind: command, webhook or alertmanager")
        }
        let kind: Kind? = choice(fields["kind"])
        let timeout = seconds(fields["timeout"], in: 1...300)
        let severity: AlertRule.Severity? = choice(fields["severity"])
        let match = fields["match"].flatMap { receiverMatch($0) }
        let again = seconds(fields["repeat"], in: kind == .alertmanager ? 10...3600 : 60...30 * 86_400)
        let target: Receiver.Kind? =
            switch kind {
            case .command: command(entry, fields).map(Receiver.Kind.command)
            case .webhook: endpoint(entry, fields).map(Receiver.Kind.webhook)
            case .alertmanager: endpoint(entry, fields).map(Receiver.Kind.alertmanager)
            case nil: nil
            }
        guard issues.count == before, let target else { return nil }
        return Receiver(
            name: name, kind: target, timeout: timeout.map { .seconds($0) } ?? Receiver.defaultTimeout,
            severity: severity ?? .warning, match: match ?? Receiver.Match(),
            repeatInterval: again.map { .seconds($0) }
                ?? (kind == .alertmanager ? Receiver.alertmanagerRepeat : nil))
    }

    private mutating func receiverMatch(_ field: Field) -> Receiver.Match? {
        guard let fields = mapping(field, allowed: ["rule", "engine", "name", "image"]) else { return nil }
        return Receiver.Match(
            rule: value(fields["rule"], SettingsText.pattern),
            engine: value(fields["engine"], SettingsText.pattern),
            name: value(fields["name"], SettingsText.pattern),
            image: value(fields["image"], SettingsText.pattern))
    }

    private mutating func command(_ entry: Field, _ fields: [String: Field]) -> [String]? {
        for key in Self.endpointKeys {
            if let field = fields[key] { reject(field, "is for kind: webhook and alertmanager") }
        }
        guard let field = fields["command"] else {
            reject(entry, "a receiver of kind command needs command, as [/usr/local/bin/alert, --now]")
            return nil
        }
        guard let list = list(field) else { return nil }
        guard (1...Self.argumentLimit).contains(list.count) else {
            reject(field, "must have 1 to \(Self.argumentLimit) entries: the program and its arguments")
            return nil
        }
        let program = value(list[0], SettingsText.absolutePath)
        let arguments = list.dropFirst().map { value($0, Self.argument) }
        guard let program else { return nil }
        return [program] + arguments.compactMap(\.self)
    }

    private mutating func endpoint(_ entry: Field, _ fields: [String: Field]) -> Receiver.Endpoint? {
        if let field = fields["command"] { reject(field, "is for kind: command") }
        let url = value(fields["url"], SettingsText.webAddress)
        let file = value(fields["url_file"], Self.secretFile)
        let headers = fields["headers"].map { self.headers($0) } ?? []
        let token = value(fields["bearer_token_file"], Self.secretFile)
        let authorities = value(fields["ca_file"], SettingsText.absolutePath)
        switch (fields["url"], fields["url_file"]) {
        case (nil, nil):
            reject(entry, "a receiver of this kind needs url, or url_file for one that is a secret")
        case (_?, let field?): reject(field, "stands beside url; give one of the two")
        default: break
        }
        if token != nil, headers.contains(where: { $0.name.lowercased() == "authorization" }),
            let field = fields["headers"]
        {
            reject(field, "holds Authorization, which bearer_token_file sets")
        }
        guard let address = url.map(Receiver.Address.url) ?? file.map(Receiver.Address.file) else {
            return nil
        }
        return Receiver.Endpoint(
            address: address, headers: headers, bearerToken: token, authorities: authorities)
    }

    private mutating func headers(_ field: Field) -> [Receiver.Header] {
        let entries = openMapping(field) ?? []
        if entries.count > Self.headerLimit {
            reject(field, "holds \(entries.count) headers, \(Self.headerLimit) are allowed")
            return []
        }
        var result: [Receiver.Header] = []
        for (name, value, mark) in entries {
            do throws(SettingsText.Rejection) {
                try SettingsText.checkHeaderName(name)
            } catch {
                reject(Field(key: value.key, node: value.node, mark: mark), error.description)
                continue
            }
            if let text = self.value(value, SettingsText.headerValue) {
                result.append(Receiver.Header(name: name, value: text))
            }
        }
        return result
    }

    private static func argument(_ text: String) throws(SettingsText.Rejection) -> String {
        guard text.utf8.count <= 4096, !text.utf8.contains(0) else {
            throw SettingsText.Rejection("an argument may have 4096 bytes at most, none of them NUL")
        }
        return text
    }

    private static func secretFile(_ text: String) throws(SettingsText.Rejection) -> Receiver.SecretFile {
        if text.contains("/") { return .path(try SettingsText.absolutePath(text)) }
        do throws(SettingsText.Rejection) {
            return .credential(try SettingsText.name(text, of: "credential"))
        } catch {
            throw SettingsText.Rejection(
                "\(SettingsText.quote(text)) is neither an absolute path nor the name of a credential of the unit"
            )
        }
    }
}
