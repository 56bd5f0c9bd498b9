public import Accounting

/// What an operator can set, with the defaults where nothing is.
public struct Settings: Hashable, Sendable {
    /// A store to follow, as `KIND=PATH` names it.
    public struct Store: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            case docker
            case dockerClassic = "docker-classic"
            case containersStorage = "containers-storage"
            case containerd
            /// A directory of layer directories that no engine owns.
            case plain
        }

        public var kind: Kind
        /// Absolute.
        public var path: String

        public init(kind: Kind, path: String) {
            self.kind = kind
            self.path = path
        }
    }

    /// The least important messages that go to the journal.
    public enum LogLevel: String, Hashable, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    public struct Tracking: Hashable, Sendable {
        /// How long changes gather before they are looked at.
        public var batchInterval: Duration = .milliseconds(30)
        /// How often a layer is looked at that no events come for.
        public var pollingInterval: Duration = .seconds(30)
        /// Within what time every layer is looked at again to find what no event told.
        public var auditInterval: Duration = .seconds(6 * 3600)
        /// Kernel watches to take at most; `nil` leaves it to the daemon.
        public var watchBudget: Int?
        /// How long a request waits for queued changes before its answer says that it is not exact.
        public var barrierDeadline: Duration = .seconds(2)
        /// How long a directory that no metadata names must have stayed the same to be called an orphan.
        public var orphanGrace: Duration = .seconds(600)

        public init() {}
    }

    /// Empty: find those of this host.
    public var stores: [Store] = []
    public var socketPath = "/run/usaged/usaged.sock"
    /// The group that may connect.
    public var socketGroup = "usaged"
    public var stateDirectory = "/var/lib/usaged"
    public var logLevel = LogLevel.info
    /// The rules in force, in the order of the files.
    public var alerts: [AlertRule] = []
    /// Where `usage-client notify` delivers alerts, in the order of the files.
    public var receivers: [Receiver] = []
    public var tracking = Tracking()
    /// Docker's configuration file, which names its data root.
    public var dockerDaemonJSON = "/etc/docker/daemon.json"

    public init() {}
}

extension Settings.Store: CustomStringConvertible {
    /// Reads `KIND=PATH`.
    ///
    /// - Throws: ``SettingsText/Rejection`` with what is allowed.
    public init(_ text: String) throws(SettingsText.Rejection) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw SettingsText.Rejection(
                "\(SettingsText.quote(text)) is not KIND=PATH; \(Self.kindsText)")
        }
        guard let kind = Kind(rawValue: String(parts[0])) else {
            throw SettingsText.Rejection(
                "there is no kind \(SettingsText.quote(parts[0])); \(Self.kindsText)")
        }
        self.init(kind: kind, path: try SettingsText.absolutePath(String(parts[1])))
    }

    public var description: String { "\(kind.rawValue)=\(path)" }

    private static var kindsText: String {
        let kinds = Kind.allCases.map(\.rawValue)
        return "KIND is \(kinds.dropLast().joined(separator: ", ")) or \(kinds.last ?? "")"
    }
}
