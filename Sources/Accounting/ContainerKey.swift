/// Names one container on this host: its store and its id there, for two stores may use one id.
public struct ContainerKey: Hashable, Sendable, Comparable {
    public var store: StoreIdentity
    public var id: String

    public init(store: StoreIdentity, id: String) {
        self.store = store
        self.id = id
    }

    public static func < (left: ContainerKey, right: ContainerKey) -> Bool {
        left.id == right.id ? left.store < right.store : left.id < right.id
    }
}
