/// One entry of a list whose entries have names: a value in force, or the name of one that is not.
struct NamedSetting<Value> {
    var name: String
    /// `nil` for `enabled: false`.
    var value: Value?
}

extension NodeReader {
    /// The entries of a list in one file, without those that are wrong.
    ///
    /// An entry with `enabled: false` needs none of `content`, the keys that make it what it is.
    mutating func named<Value>(
        _ field: Field, _ noun: String, keys: [String], content: [String],
        _ read: (inout NodeReader, _ name: String, _ entry: Field, _ fields: [String: Field]) -> Value?
    ) -> [NamedSetting<Value>] {
        var result: [NamedSetting<Value>] = []
        var lines: [String: Int?] = [:]
        for entry in list(field) ?? [] {
            guard let fields = mapping(entry, allowed: keys) else { continue }
            guard let nameField = fields["name"] else {
                reject(entry, "a \(noun) needs a name")
                _ = read(&self, "", entry, fields)
                continue
            }
            let name = value(nameField) { text throws(SettingsText.Rejection) in
                try SettingsText.name(text, of: noun)
            }
            if let name, let line = lines[name] {
                let place = line.map { " in line \($0)" } ?? ""
                reject(
                    nameField, "the \(noun) \(name) stands\(place) already; a file may give each name once")
                _ = read(&self, name, entry, fields)
                continue
            }
            if let name { lines[name] = .some(nameField.line) }
            let isEnabled = flag(fields["enabled"]) ?? true
            if !isEnabled, content.allSatisfy({ fields[$0] == nil }) {
                if let name { result.append(NamedSetting(name: name)) }
                continue
            }
            guard let value = read(&self, name ?? "", entry, fields), let name else { continue }
            result.append(NamedSetting(name: name, value: isEnabled ? value : nil))
        }
        return result
    }
}

extension Array {
    /// Takes up what a later file says: by name, in the place of what an earlier one did.
    mutating func take(_ settings: [NamedSetting<Element>], name: KeyPath<Element, String>) {
        for setting in settings {
            let place = firstIndex { $0[keyPath: name] == setting.name }
            switch (place, setting.value) {
            case (let place?, let value?): self[place] = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(value)
            case (nil, nil): break
            }
        }
    }
}
