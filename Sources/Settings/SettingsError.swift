/// Everything that is wrong with the configuration, at once.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order of the files, then of the lines.
    public let issues: [SettingsIssue]

    public init(issues: [SettingsIssue]) {
        self.issues = issues
    }

    /// One issue per line.
    public var description: String {
        issues.map(\.description).joined(separator: "\n")
    }
}

/// One thing that is wrong, where it stands, and what is allowed there.
public struct SettingsIssue: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    /// From 1; `nil` where the file as a whole is meant.
    public var line: Int?
    /// From 1, in characters.
    public var column: Int?
    /// The path of the key, as `alerts[2].limit`.
    public var key: String?
    public var message: String

    public init(file: String, line: Int? = nil, column: Int? = nil, key: String? = nil, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
    }

    /// `FILE:LINE:COLUMN: KEY: MESSAGE`, as compilers print, so that editors find the place.
    public var description: String {
        let place = [line, column].compactMap { $0.map { ":\($0)" } }.joined()
        return "\(SettingsText.printable(file))\(place): \(key.map { "\($0): " } ?? "")\(message)"
    }
}
