import Accounting
import UsageTestKit

/// What each part of a store takes, by walks that share nothing with the accounting's own.
struct StorageBalance {
    let facts: StoreFacts
    /// Allocated bytes by the id of the layer or tree.
    private(set) var parts: [String: Int64] = [:]
    private(set) var groups: [String: Int64] = [:]
    /// The overhead that is in no group: lists, locks, the engine's database.
    private(set) var shared: Int64 = 0
    /// What `du` says of the whole root.
    let total: Int64

    init(_ facts: StoreFacts) async throws {
        self.facts = facts
        try await DiskUsage.sync(facts.store.root)
        for layer in facts.layers { parts[layer.id] = try await FullWalk.measure(layer.directory).diskBytes }
        for tree in facts.trees {
            if tree.entries.isEmpty {
                parts[tree.id] = try await FullWalk.measure(tree.directory).diskBytes
            } else {
                let names = try await Command.output(["ls", "-A", tree.directory]).split(separator: "\n")
                var sum: Int64 = 0
                for name in names where tree.entries.contains(where: { $0.matches(Array(name.utf8)) }) {
                    sum += try await FullWalk.measure("\(tree.directory)/\(name)").diskBytes
                }
                parts[tree.id] = sum
            }
        }
        // Each entry of the root's file system with its blocks.
        for part in facts.overhead?.parts ?? [] {
            let text = try await Command.output(
                ["find", part.directory, "-xdev", "-printf", "%b %P\\n"], deadline: .seconds(60))
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                let names = fields[1].split(separator: "/").map { Array($0.utf8) }
                let starts = (0...names.count).map { Array(names.prefix($0)) }
                guard let blocks = Int64(fields[0]),
                    !starts.contains(where: { start in part.excluded.contains { $0.matches(start) } })
                else { continue }
                if let group = starts.first(where: { start in part.groups.contains { $0.matches(start) } }) {
                    let path = group.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
                    groups[path, default: 0] += blocks * 512
                } else {
                    shared += blocks * 512
                }
            }
        }
        // What lies beside the root may lie in it as well.
        let outside = (facts.overhead?.beside ?? []).map(\.directory).filter {
            !$0.hasPrefix(facts.store.root + "/")
        }
        total = try await DiskUsage.du([facts.store.root] + outside).reduce(0, +)
    }

    /// The sum of all parts, which should be what `du` says.
    var sum: Int64 { parts.values.reduce(0, +) + groups.values.reduce(0, +) + shared }

    private func metadata(_ names: [String]) -> Int64 {
        names.map { groups[$0] ?? 0 }.reduce(0, +)
    }

    private func layers(_ ids: some Sequence<String>) -> Int64 {
        let ids = Set(ids)
        return facts.layers.filter { ids.contains($0.id) }.map { (parts[$0.id] ?? 0) + metadata($0.metadata) }
            .reduce(0, +)
    }

    /// What removing the container should free.
    func freed(by container: ContainerFact) -> Int64 {
        layers([container.layer]) + metadata(container.metadata)
            + container.trees.map { parts[$0] ?? 0 }.reduce(0, +)
    }

    /// What removing the image should free: the layers that nothing else lies on.
    func freed(by image: ImageFact) -> Int64 {
        var used = Set(facts.containers.flatMap { $0.chain + [$0.layer] })
        for other in facts.images where other.id != image.id { used.formUnion(other.layers + other.content) }
        return layers((image.layers + image.content).filter { !used.contains($0) }) + metadata(image.metadata)
    }

    func freed(by volume: VolumeFact) -> Int64 {
        (volume.tree.map { parts[$0] ?? 0 } ?? 0) + metadata(volume.metadata)
    }
}
