public import Accounting
import Kernel

/// What every reader's facts must hold to, whatever the store's layout.
public struct StoreConformance {
    private let facts: StoreFacts
    private var flaws: [String] = []

    /// What is wrong with the facts, one line each; empty where all is right.
    ///
    /// Besides naming nothing that is not there, they must put every inode below the store's root in one place:
    /// a layer, a tree or the overhead, whatever was found by a walk of its own.
    public static func flaws(of facts: StoreFacts) -> [String] {
        var check = StoreConformance(facts: facts)
        check.checkReferences()
        check.checkPlaces()
        return check.flaws
    }

    private init(facts: StoreFacts) {
        self.facts = facts
    }

    private mutating func checkReferences() {
        let layers = Set(facts.layers.map(\.id))
        let trees = Set(facts.trees.map(\.id))
        if layers.count + trees.count != Set(facts.layers.map(\.id) + facts.trees.map(\.id)).count
            || layers.count != facts.layers.count || trees.count != facts.trees.count
        {
            flaws.append("ids are not unique")
        }
        for layer in facts.layers {
            expect(layer.parent.map(layers.contains) ?? true, "layer \(layer.id): its parent is no layer")
        }
        expect(Set(facts.images.map(\.id)).count == facts.images.count, "ids of images are not unique")
        for image in facts.images {
            expect(layers.isSuperset(of: image.layers), "image \(image.id): its chain holds what is no layer")
            expect(layers.isSuperset(of: image.content), "image \(image.id): its content is no layer")
            expect(
                image.history.compactMap(\.layer).allSatisfy(image.layers.contains),
                "image \(image.id): its history names a layer that is not in its chain")
        }
        expect(
            Set(facts.containers.map(\.id)).count == facts.containers.count,
            "ids of containers are not unique")
        for container in facts.containers {
            let used = container.chain + [container.layer] + (container.initLayer.map { [$0] } ?? [])
            expect(layers.isSuperset(of: used), "container \(container.id): it lies on what is no layer")
            expect(
                trees.isSuperset(of: container.trees), "container \(container.id): a tree of it is not there")
        }
        for volume in facts.volumes {
            expect(
                volume.tree.map(trees.contains) ?? true, "volume \(volume.name): its tree is not there")
        }
        let groups = facts.overhead?.parts.flatMap(\.groups) ?? []
        let named =
            facts.layers.flatMap(\.metadata) + facts.images.flatMap(\.metadata)
            + facts.containers.flatMap(\.metadata) + facts.volumes.flatMap(\.metadata)
        for name in named
        where !groups.contains(where: { $0.matches(name.utf8.split(separator: 0x2F).map(Array.init)) }) {
            flaws.append("\(name) is no group of the overhead")
        }
    }

    /// Walks the root and asks of each path where it counts.
    private mutating func checkPlaces() {
        var owners: [[UInt8]: [String]] = [:]
        for layer in facts.layers {
            owners[Array(layer.directory.utf8), default: []].append("layer \(layer.id)")
            expect(
                (try? FileStatus.of(path: layer.directory)) != nil,
                "layer \(layer.id): \(layer.directory) is not there")
        }
        for tree in facts.trees where tree.entries.isEmpty {
            owners[Array(tree.directory.utf8), default: []].append("tree \(tree.id)")
        }
        let selected = Dictionary(grouping: facts.trees.filter { !$0.entries.isEmpty }) {
            Array($0.directory.utf8)
        }
        let beside = facts.overhead?.beside ?? []
        let others = Set(beside.map { Array($0.directory.utf8) })
        for (root, excluded) in [(facts.store.root, facts.overhead?.excluded)]
            + beside.map({ ($0.directory, $0.excluded) })
        {
            checkPlaces(below: root, but: excluded, others, owners, selected)
        }
    }

    /// Walks one root but for those of `others` below it; without `excluded` it has no overhead.
    private mutating func checkPlaces(
        below root: String, but excluded: [PathPattern]?, _ others: Set<[UInt8]>,
        _ owners: [[UInt8]: [String]], _ selected: [[UInt8]: [TreeFact]]
    ) {
        guard let device = try? FileStatus.of(path: root).identity.device else {
            flaws.append("\(root) is not there")
            return
        }
        let root = Array(root.utf8)
        var stack: [(path: [UInt8], below: [[UInt8]], owner: String?, isExcluded: Bool)] = [
            (root, [], nil, false)
        ]
        while let (path, below, above, wasExcluded) = stack.popLast() {
            if path != root, others.contains(path) {
                let isFree =
                    above == nil
                    && (wasExcluded || excluded.map { $0.contains { $0.matches(below) } } ?? true)
                expect(isFree, "\(String(decoding: path, as: UTF8.self)) counts twice")
                continue
            }
            let text = String(decoding: path, as: UTF8.self)
            var owner = above
            for next in owners[path] ?? [] {
                if let owner { flaws.append("\(text) belongs to \(owner) and to \(next)") }
                owner = next
            }
            let isExcluded =
                wasExcluded || (excluded?.contains { $0.matches(below) } ?? true)
            let counts = (owner == nil ? 0 : 1) + (isExcluded ? 0 : 1)
            if counts != 1 {
                flaws.append(
                    counts == 0
                        ? "\(text) counts nowhere" : "\(text) belongs to \(owner ?? "") and to the overhead")
                continue
            }
            guard let directory = try? Directory.open(path: text, followingLast: false),
                let entries = try? directory.entries()
            else { continue }
            for entry in entries {
                guard let status = try? directory.status(of: entry.name), status.identity.device == device
                else {
                    continue
                }
                let chosen = selected[path]?.first { $0.entries.contains { $0.matches(entry.name.bytes) } }
                if let chosen, let owner { flaws.append("\(text): \(owner) holds what \(chosen.id) selects") }
                let next = path + [0x2F] + entry.name.bytes
                stack.append(
                    (next, below + [entry.name.bytes], chosen.map { "tree \($0.id)" } ?? owner, isExcluded))
            }
        }
    }

    private mutating func expect(_ isRight: Bool, _ flaw: @autoclosure () -> String) {
        if !isRight { flaws.append(flaw()) }
    }
}
