public import Accounting
public import Kernel
internal import SystemPackage

/// Measures what an engine keeps beside its layers, by one walk.
public enum OverheadScanner {
    fileprivate struct Step {
        var depth = 0
        /// Those of the patterns that all names down to here match.
        var excluded: [PathPattern] = []
        var groups: [PathPattern] = []
        /// The path from the root, while a group may still begin below.
        var path = ""
        var group: String?
    }

    /// What was counted so far.
    private struct Sum {
        private var total: Measure
        private var groups: [String: Measure] = [:]
        private var linked: [InodeKey: (names: UInt32, links: UInt32, measure: Measure)] = [:]

        init(root: FileStatus) {
            total = Measure(diskBytes: root.allocated, sizeBytes: 0, inodes: 1)
        }

        mutating func add(_ status: FileStatus, to group: String?) {
            let isDirectory = status.kind == .directory
            let measure = Measure(
                diskBytes: status.allocated, sizeBytes: isDirectory ? 0 : status.size, inodes: 1)
            if !isDirectory, status.links > 1 {
                let key = InodeKey(device: status.identity.device, inode: status.identity.inode)
                guard linked[key] == nil else {
                    linked[key]?.names += 1
                    return
                }
                linked[key] = (1, status.links, measure)
            }
            total += measure
            if let group { groups[group, default: .zero] += measure }
        }

        var measure: OverheadMeasure {
            let outside = linked.filter { $0.value.links > $0.value.names }.mapValues(\.measure)
            return OverheadMeasure(
                total: LayerMeasure(total: total, linkedOutside: outside), groups: groups)
        }
    }

    /// Walks the directories of the fact but for what it excludes, each on its file system alone, never through a link.
    ///
    /// What goes meanwhile is left out. `isCancelled` is asked at each directory.
    public static func measure(
        _ fact: OverheadFact, isCancelled: () -> Bool = { false }
    ) throws(KernelError) -> OverheadMeasure {
        var all = try measure(alone: fact, isCancelled)
        for part in fact.beside {
            let measure = try measure(part, isCancelled: isCancelled)
            var own = measure.total.total
            for (inode, size) in measure.total.linkedOutside
            where all.total.linkedOutside.updateValue(size, forKey: inode) != nil {
                own = own - size
            }
            all.beside[part.directory] = own
            all.total.total += own
            all.groups.merge(measure.groups) { $0 + $1 }
        }
        return all
    }

    private static func measure(
        alone fact: OverheadFact, _ isCancelled: () -> Bool
    ) throws(KernelError) -> OverheadMeasure {
        let root = try Directory.open(path: fact.directory, followingLast: false)
        let rootStatus = try root.status()
        let device = rootStatus.identity.device
        var sum = Sum(root: rootStatus)
        _ = try DirectoryWalk.run(
            root, note: Step(excluded: fact.excluded, groups: fact.groups), isCancelled: isCancelled
        ) { (directory, entry, above) throws(KernelError) -> Step? in
            guard let step = above.below(entry.name),
                let status = try directory.countedStatus(of: entry, on: device),
                status.identity != rootStatus.identity
            else { return nil }
            sum.add(status, to: step.group)
            return status.kind == .directory ? step : nil
        }
        return sum.measure
    }
}

extension OverheadScanner.Step {
    /// The entry `name` of this directory; `nil` where it counts elsewhere.
    fileprivate func below(_ name: @autoclosure () -> FileName) -> Self? {
        // Most directories: nothing below them is told apart.
        guard !excluded.isEmpty || !groups.isEmpty else { return Self(depth: depth + 1, group: group) }
        let name = name()
        let excluded = excluded.filter { $0.names.count > depth && $0.names[depth].matches(name.bytes) }
        if excluded.contains(where: { $0.names.count == depth + 1 }) { return nil }
        let groups = groups.filter { $0.names.count > depth && $0.names[depth].matches(name.bytes) }
        let path = groups.isEmpty ? "" : (path.isEmpty ? "" : path + "/") + name.escaped
        return Self(
            depth: depth + 1, excluded: excluded, groups: groups, path: path,
            group: groups.contains { $0.names.count == depth + 1 } ? path : group)
    }
}
