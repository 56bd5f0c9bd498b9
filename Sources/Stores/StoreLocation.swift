/// The layouts of a store that have a name in the configuration.
public enum StoreKind: String, CaseIterable, Sendable {
    case docker
    case dockerClassic = "docker-classic"
    case containersStorage = "containers-storage"
    case containerd
    /// A directory of layer directories that no engine owns.
    case plain
}

/// Where a store is and how it is laid out.
public struct StoreLocation: Hashable, Sendable {
    public var kind: StoreKind
    public var path: String

    public init(kind: StoreKind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// Parses `KIND=PATH`, as `--store` takes it.
    public init(parsing argument: String) throws(StoreLocationError) {
        guard let equals = argument.firstIndex(of: "=") else {
            throw StoreLocationError(argument: argument, reason: "there is no '='")
        }
        let name = String(argument[..<equals])
        guard let kind = StoreKind(rawValue: name) else {
            throw StoreLocationError(argument: argument, reason: "there is no kind '\(name)'")
        }
        let path = String(argument[argument.index(after: equals)...])
        guard !path.isEmpty else {
            throw StoreLocationError(argument: argument, reason: "the path is empty")
        }
        guard !path.utf8.contains(0) else {
            throw StoreLocationError(argument: argument, reason: "the path holds a NUL byte")
        }
        self.init(kind: kind, path: path)
    }
}

extension StoreLocation: CustomStringConvertible {
    public var description: String { "\(kind.rawValue)=\(path)" }
}

/// An argument that names no store.
public struct StoreLocationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let argument: String
    public let reason: String

    public var description: String {
        "'\(argument)' is not KIND=PATH: \(reason); \(Stores.kindsText)"
    }
}
