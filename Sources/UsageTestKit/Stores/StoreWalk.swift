public import Accounting
internal import Glibc

/// What the facts of a store say that belongs to each object, by a walk of everything: the oracle for what removing
/// an object gives back.
public struct StoreWalk: Sendable {
    /// Allocated bytes of each layer and tree, by its id.
    public private(set) var objects: [String: Int64] = [:]
    /// Apparent bytes of each layer and tree, by its id.
    public private(set) var sizes: [String: Int64] = [:]
    /// Allocated bytes of the overhead in each of its groups.
    public private(set) var groups: [String: Int64] = [:]
    /// Allocated bytes of the overhead in databases that are no group's: they grow and shrink by no object.
    public private(set) var databases: Int64 = 0
    /// Allocated bytes of all other overhead.
    public private(set) var rest: Int64 = 0

    public init(_ facts: StoreFacts) throws {
        for layer in facts.layers {
            let walk = try FullWalk(walking: layer.directory)
            objects[layer.id] = walk.diskBytes
            sizes[layer.id] = walk.sizeBytes
        }
        for tree in facts.trees {
            let paths =
                tree.entries.isEmpty
                ? [tree.directory]
                : Self.names(in: tree.directory).filter { name in tree.entries.contains { $0.matches(name) } }
                    .map { "\(tree.directory)/\(String(decoding: $0, as: UTF8.self))" }
            let walks = try paths.map { try FullWalk(walking: $0) }
            objects[tree.id] = walks.map(\.diskBytes).reduce(0, +)
            sizes[tree.id] = walks.map(\.sizeBytes).reduce(0, +)
        }
        for part in facts.overhead?.parts ?? [] { walk(part) }
    }

    /// All bytes that are accounted.
    public var total: Int64 {
        objects.values.reduce(0, +) + groups.values.reduce(0, +) + databases + rest
    }

    /// What went with the objects that the later facts have no more.
    public func bytes(goneFrom before: StoreFacts, to after: StoreFacts) -> Int64 {
        var ids = Set(before.layers.map(\.id) + before.trees.map(\.id))
        ids.subtract(after.layers.map(\.id) + after.trees.map(\.id))
        var names = Set(Self.metadata(of: before))
        names.subtract(Self.metadata(of: after))
        return ids.compactMap { objects[$0] }.reduce(0, +) + names.compactMap { groups[$0] }.reduce(0, +)
    }

    private static func metadata(of facts: StoreFacts) -> [String] {
        facts.layers.flatMap(\.metadata) + facts.images.flatMap(\.metadata)
            + facts.containers.flatMap(\.metadata) + facts.volumes.flatMap(\.metadata)
    }

    private mutating func walk(_ overhead: OverheadFact) {
        var status = stat()
        guard lstat(overhead.directory, &status) == 0 else { return }
        let device = status.st_dev
        var seen: Set<UInt64> = []
        var pending: [(path: [[UInt8]], group: String?)] = [([], nil)]
        while let (names, above) = pending.popLast() {
            guard !overhead.excluded.contains(where: { $0.matches(names) }) else { continue }
            let below = names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
            let path = below.isEmpty ? overhead.directory : "\(overhead.directory)/\(below)"
            guard lstat(path, &status) == 0, status.st_dev == device,
                seen.insert(UInt64(status.st_ino)).inserted
            else { continue }
            let group = overhead.groups.contains { $0.matches(names) } ? below : above
            let bytes = Int64(status.st_blocks) * 512
            if below.hasSuffix(".db") {
                databases += bytes
            } else if let group {
                groups[group, default: 0] += bytes
            } else {
                rest += bytes
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                pending += Self.names(in: path).map { (names + [$0], group) }
            }
        }
    }

    private static func names(in directory: String) -> [[UInt8]] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: UInt8.self, capacity: Int(NAME_MAX) + 1) { start in
                    Array(
                        UnsafeBufferPointer(
                            start: start,
                            count: strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))))
                }
            }
            if name != [46], name != [46, 46] { found.append(name) }
        }
        return found
    }
}
