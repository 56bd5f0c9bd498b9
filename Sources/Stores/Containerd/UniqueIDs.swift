/// Gives objects ids that no other has, and keeps them as long as the objects are there.
///
/// The same chain of layers in two namespaces is two directories, and so two objects with one name. The first has the
/// plain id, the next one its namespace before it.
struct UniqueIDs: Sendable {
    private var ids: [String: String] = [:]

    /// The id of each object: what it was before, else the first of its candidates that is free.
    mutating func assign(_ objects: [(object: String, candidates: [String])]) -> [String: String] {
        var assigned: [String: String] = [:]
        var taken: Set<String> = []
        for (object, candidates) in objects {
            guard let known = ids[object], candidates.contains(known), taken.insert(known).inserted else {
                continue
            }
            assigned[object] = known
        }
        for (object, candidates) in objects where assigned[object] == nil {
            var id = candidates.first { !taken.contains($0) }
            var number = 2
            while id == nil {
                let next = "\(candidates.last ?? object)#\(number)"
                if !taken.contains(next) { id = next }
                number += 1
            }
            taken.insert(id ?? object)
            assigned[object] = id
        }
        ids = assigned
        return assigned
    }
}
