/// Names one layer or tree on this host: its store and its id there.
public struct LayerKey: Hashable, Sendable {
    public var store: StoreIdentity
    public var id: String

    public init(store: StoreIdentity, id: String) {
        self.store = store
        self.id = id
    }
}
