/// Finds what leads back to itself among objects that name their parents; metadata may be wrong.
enum ParentRings {
    /// The objects that are in a ring, not those that only lead into one.
    static func members(_ parents: [String: String?]) -> Set<String> {
        var members: Set<String> = []
        var done: Set<String> = []
        for start in parents.keys where !done.contains(start) {
            var path: [String] = []
            var onPath: Set<String> = []
            var next: String? = start
            while let id = next, !done.contains(id) {
                guard onPath.insert(id).inserted else {
                    members.formUnion(path.drop { $0 != id })
                    break
                }
                path.append(id)
                next = parents[id] ?? nil
            }
            done.formUnion(path)
        }
        return members
    }
}
