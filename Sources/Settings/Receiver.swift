public import Accounting

/// Where alerts are delivered.
public struct Receiver: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A program and its arguments; no shell.
        case command([String])
        /// A POST in the shape of Alertmanager's webhook, version 4.
        case webhook(Endpoint)
        /// An Alertmanager, by its API v2.
        case alertmanager(Endpoint)
    }

    public struct Endpoint: Hashable, Sendable {
        public var address: Address
        /// Sent with each request, in the order of the configuration.
        public var headers: [Header]
        public var bearerToken: SecretFile?
        /// Certificates to trust instead of the system's; a path.
        public var authorities: String?

        public init(
            address: Address, headers: [Header] = [], bearerToken: SecretFile? = nil,
            authorities: String? = nil
        ) {
            self.address = address
            self.headers = headers
            self.bearerToken = bearerToken
            self.authorities = authorities
        }
    }

    public enum Address: Hashable, Sendable {
        case url(String)
        /// A file that holds the URL, for one that is a secret.
        case file(SecretFile)
    }

    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A file with a secret in it.
    public enum SecretFile: Hashable, Sendable {
        case path(String)
        /// The name of one of the unit's credentials, `LoadCredential=` of systemd.exec(5).
        case credential(String)
    }

    /// Which alerts it is sent: those for which every pattern given matches.
    public struct Match: Hashable, Sendable {
        public var rule: Glob?
        public var engine: Glob?
        /// The container's name.
        public var name: Glob?
        public var image: Glob?

        public init(rule: Glob? = nil, engine: Glob? = nil, name: Glob? = nil, image: Glob? = nil) {
            self.rule = rule
            self.engine = engine
            self.name = name
            self.image = image
        }
    }

    public var name: String
    public var kind: Kind
    /// How long one delivery may take.
    public var timeout: Duration
    /// The least severe alerts that it is sent.
    public var severity: AlertRule.Severity
    public var match: Match
    /// How often it is told again of an alert that goes on firing; `nil` for never.
    public var repeatInterval: Duration?

    /// How often an Alertmanager is told again where nothing is set.
    public static let alertmanagerRepeat = Duration.seconds(60)
    public static let defaultTimeout = Duration.seconds(10)

    public init(
        name: String, kind: Kind, timeout: Duration = defaultTimeout, severity: AlertRule.Severity = .warning,
        match: Match = Match(), repeatInterval: Duration? = nil
    ) {
        self.name = name
        self.kind = kind
        self.timeout = timeout
        self.severity = severity
        self.match = match
        self.repeatInterval = repeatInterval
    }
}
