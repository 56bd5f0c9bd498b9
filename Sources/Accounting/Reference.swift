/// Finds the object that a person named: by name, id, or an unambiguous prefix of either.
public enum Reference {
    public enum Match: Hashable, Sendable {
        case found(Int)
        /// The indices of all that it could mean.
        case ambiguous([Int])
        case none
    }

    /// Looks `reference` up among objects with an id and names each; the first rule that finds anything decides.
    ///
    /// The rules: the exact id; an exact name; a name without its tag `latest`; a prefix of ids; a prefix of
    /// names. An id may be written with its algorithm, as `sha256:...`. Where nothing is found, `NAME@ROOT` looks
    /// among the objects of the store at that root.
    public static func find(
        _ reference: String, among objects: [(store: StoreIdentity, id: String, names: [String])]
    ) -> Match {
        let match = find(reference, among: objects, objects.indices)
        guard match == .none else { return match }
        // A root may hold an `@` itself, and so may a name.
        for at in reference.indices where reference[at...].hasPrefix("@/") {
            let root = reference[reference.index(after: at)...]
            let inStore = objects.indices.filter { objects[$0].store.root == root }
            guard !inStore.isEmpty else { continue }
            return find(String(reference[..<at]), among: objects, inStore)
        }
        return .none
    }

    private static func find(
        _ reference: String, among objects: [(store: StoreIdentity, id: String, names: [String])],
        _ indices: some Sequence<Int>
    ) -> Match {
        guard !reference.isEmpty else { return .none }
        let id = reference.hasPrefix("sha256:") ? String(reference.dropFirst(7)) : reference
        let rules: [((store: StoreIdentity, id: String, names: [String])) -> Bool] = [
            { $0.id == id },
            { $0.names.contains(reference) },
            { $0.names.contains(reference + ":latest") },
            { !id.isEmpty && $0.id.hasPrefix(id) },
            { $0.names.contains { $0.hasPrefix(reference) } },
        ]
        for rule in rules {
            let hits = indices.filter { rule(objects[$0]) }
            if let first = hits.first { return hits.count == 1 ? .found(first) : .ambiguous(hits) }
        }
        return .none
    }
}
