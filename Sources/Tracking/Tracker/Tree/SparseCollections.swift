// What Swift's hash tables do not do by themselves: get smaller.

extension Dictionary {
    /// Gives memory back where most entries went, which takes as long as it took to remove them.
    mutating func giveBack() {
        guard capacity > 64, count * 8 < capacity else { return }
        self = Dictionary(uniqueKeysWithValues: map { ($0.key, $0.value) })
    }
}

extension Set {
    /// Gives memory back where most members went, which takes as long as it took to remove them.
    mutating func giveBack() {
        guard capacity > 64, count * 8 < capacity else { return }
        self = Set(Array(self))
    }
}
