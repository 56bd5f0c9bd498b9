internal import Accounting
internal import Kernel

/// By how much places changed in one batch, for telling people what grew; bounded.
struct BatchGrowth {
    private static let limit = 1_024
    private var changes: [Place: Int64] = [:]

    /// `isRoot` says that it is the layer's directory itself, which has no name worth telling.
    mutating func note(_ place: Place, _ change: Int64, isRoot: Bool = false) {
        guard change != 0, !isRoot else { return }
        if changes.count >= Self.limit, changes[place] == nil { return }
        changes[place, default: 0] = changes[place, default: 0].addingClamped(change)
    }

    /// The five paths that changed most, the greatest growth first.
    func top(path: (UInt64) -> [FileName]?) -> [PathGrowth] {
        changes.filter { $0.value != 0 }
            .sorted { $0.value.magnitude > $1.value.magnitude }
            .prefix(5)
            .compactMap { place, change in
                guard let directory = path(place.directory) else { return nil }
                let names = (directory + [place.name]).map(\.escaped)
                // Ten thousand levels are no use to a reader.
                let text = "/" + names.joined(separator: "/")
                return PathGrowth(
                    path: text.utf8.count <= 1_024
                        ? text : String(text.prefix(500)) + "/…/" + (names.last ?? ""),
                    diskBytes: change)
            }
            .sorted { $0.diskBytes > $1.diskBytes }
    }
}
