/// Makes the reader for a store.
public enum Stores {
    /// Makes the reader for the layout that the location names.
    ///
    /// Nothing is read yet. A root that does not exist is no error here: each reading says so until it does.
    public static func open(
        _ location: StoreLocation, options: StoreOptions = StoreOptions()
    ) throws(StoreOpenError) -> any StoreReader {
        switch location.kind {
        case .docker: DockerReader(root: location.path, options: options)
        case .plain: PlainReader(root: location.path)
        case .dockerClassic: DockerClassicReader(root: location.path, options: options)
        case .containersStorage, .containerd:
            throw StoreOpenError(location: location, reason: "stores of this kind cannot be read yet")
        }
    }

    /// The kinds that ``open(_:)`` makes a reader for.
    public static let supportedKinds: [StoreKind] = [.docker, .plain]

    /// What KIND may be, for messages.
    static var kindsText: String {
        let others = StoreKind.allCases.filter { !supportedKinds.contains($0) }.map(\.rawValue)
        return "KIND is \(supportedKinds.map(\.rawValue).joined(separator: " or ")) "
            + "(this version cannot read \(others.joined(separator: ", ")))"
    }
}

/// A store for which there is no reader.
public struct StoreOpenError: Error, Hashable, Sendable, CustomStringConvertible {
    public let location: StoreLocation
    public let reason: String

    public init(location: StoreLocation, reason: String) {
        self.location = location
        self.reason = reason
    }

    public var description: String {
        "store \(location): \(reason); \(Stores.kindsText)"
    }
}
