/// Directories that were listed for the first time: too many are all that there are.
struct ListedDirectories {
    private static let limit = 4_096

    private var areAll = false
    private var some: Set<UInt64> = []

    var isEmpty: Bool { !areAll && some.isEmpty }

    func contains(_ directory: UInt64) -> Bool { areAll || some.contains(directory) }

    mutating func insert(_ directory: UInt64) {
        guard !areAll else { return }
        some.insert(directory)
        if some.count > Self.limit { insertAll() }
    }

    mutating func insertAll() {
        (areAll, some) = (true, [])
    }

    mutating func formUnion(_ others: ListedDirectories) {
        if others.areAll { insertAll() }
        for directory in others.some { insert(directory) }
    }
}
