public import Settings
public import StatusFeed
public import Stores

/// What the command line says; it goes before the configuration.
public struct DaemonOptions: Sendable {
    /// The configuration file; `nil` for the default one, which may be missing.
    public var configuration: String?
    public var socket: String?
    public var stateDirectory: String?
    /// Turns detection off, where there are any.
    public var stores: [StoreLocation]
    /// TCP sockets to open besides, to be read from alone.
    public var listen: [LoopbackAddress]

    public init(
        configuration: String? = nil, socket: String? = nil, stateDirectory: String? = nil,
        stores: [StoreLocation] = [], listen: [LoopbackAddress] = []
    ) {
        self.configuration = configuration
        self.socket = socket
        self.stateDirectory = stateDirectory
        self.stores = stores
        self.listen = listen
    }

    /// Reads the configuration's files and puts the command line's values over theirs.
    ///
    /// It blocks on files.
    public func settings() throws(SettingsError) -> Settings {
        var settings = try SettingsFiles.load(
            path: configuration ?? SettingsFiles.defaultPath, isRequired: configuration != nil)
        if let socket { settings.socketPath = socket }
        if let stateDirectory { settings.stateDirectory = stateDirectory }
        return settings
    }

    /// The stores to follow; empty to find those of the host.
    func locations(_ settings: Settings) -> [StoreLocation] {
        guard stores.isEmpty else { return stores }
        return settings.stores.compactMap { store in
            StoreKind(rawValue: store.kind.rawValue).map { StoreLocation(kind: $0, path: store.path) }
        }
    }

    /// The stores that are named but lie inside others, each in one line; what changes with an engine's settings is no
    /// fault of who named them.
    ///
    /// It blocks on files.
    public func overlappingStores(_ settings: Settings) -> [String] {
        Stores.overlaps(locations(settings)).filter { $0.kind != .containerd }.map(\.description)
    }
}
