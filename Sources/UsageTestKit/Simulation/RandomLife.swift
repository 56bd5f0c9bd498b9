internal import Kernel

/// What programs do to their files, at random but the same for the same seed, on a ``SimulatedDisk``.
package final class RandomLife {
    private let disk: SimulatedDisk
    private var generator: SeededGenerator
    private let isOrdinary: Bool
    private let isNarrow: Bool
    private let names: [FileName]
    /// Whether a layer, by its place among the disk's, has the watch of a directory.
    private let isWatched: (_ directory: SimulatedDisk.Node, _ layer: Int) -> Bool
    private var open: [SimulatedDisk.Opened] = []
    private(set) package var operations = 0

    /// An ordinary life leaves out files that are open by names which are gone, and names that come and go; and its
    /// names seldom meet.
    package init(
        _ disk: SimulatedDisk, seed: UInt64, isOrdinary: Bool = false, isNarrow: Bool = false,
        isWatched: @escaping (_ directory: SimulatedDisk.Node, _ layer: Int) -> Bool
    ) {
        self.disk = disk
        self.isOrdinary = isOrdinary
        self.isNarrow = isNarrow
        self.isWatched = isWatched
        generator = SeededGenerator(seed: seed)
        self.names = (0..<(isOrdinary ? 40 : isNarrow ? 3 : 6)).map { FileName("n\($0)") }
    }

    /// One operation.
    package func step() {
        operations += 1
        let choice = Int.random(in: 0..<100, using: &generator)
        // What is open stays open by a name that others may take away.
        if isOrdinary, (18..<55).contains(choice) || choice > 97 { return writeOnce() }
        switch choice {
        case 0..<18: writeOnce()
        case 18..<24: openOne()
        case 24..<34: if let file = open.randomElement(using: &generator) { disk.write(bytes(), to: file) }
        case 34..<38: if let file = open.randomElement(using: &generator) { disk.truncate(bytes(), file) }
        case 38..<44: closeOne()
        case 44..<46: if let file = open.randomElement(using: &generator) { disk.store(into: file) }
        case 46..<48: openNameless()
        case 48..<55: link()
        case 55..<66: if let entry = entry(), mayLoseName(entry) { disk.unlink(entry) }
        case 66..<74: disk.makeDirectory(name(), in: directory())
        case 74..<88: rename()
        case 88..<91: exchange()
        case 91..<95: if let entry = entry(inside: true) { disk.setAttribute(entry) }
        case 95..<97: removeTree()
        case 97: disk.writeBack()
        default: ephemeralLink()
        }
    }

    /// Closes what was stored into by way of memory, so that it is told; all else stays open.
    package func rest() {
        for file in open where file.isMapped { disk.close(file) }
        open.removeAll(where: \.isMapped)
    }

    // MARK: Operations

    private func writeOnce() {
        guard let file = disk.create(name(), in: directory(inside: true)) else { return }
        disk.write(bytes(), to: file)
        disk.close(file)
    }

    private func openOne() {
        guard let file = disk.create(name(), in: directory(inside: true)) else { return }
        keep(file)
    }

    /// Only where the layer hears of it: a name elsewhere may show the file before the directory is watched, and what is
    /// written to it in between has no event.
    private func openNameless() {
        let directory = directory(inside: true)
        guard isHeard(directory), let file = disk.createNameless(in: directory) else { return }
        keep(file)
    }

    private func keep(_ file: SimulatedDisk.Opened) {
        open.append(file)
        if open.count > 6 { closeOne() }
    }

    private func closeOne() {
        guard !open.isEmpty else { return }
        disk.close(open.remove(at: Int.random(in: 0..<open.count, using: &generator)))
    }

    private func link() {
        let node =
            Bool.random(using: &generator)
            ? entry()?.node : open.randomElement(using: &generator).map { disk.node(of: $0) }
        let directory = directory()
        guard let node, isHeard(directory), isOfOneLayer(node, directory) else { return }
        disk.link(node, name(), in: directory)
    }

    /// Gives a file of one layer a name in another.
    package func linkAcrossLayers() {
        guard let node = entry(inside: true)?.node else { return }
        let directory = directory(inside: true)
        guard isHeard(directory), node.openCount == 0 else { return }
        operations += 1
        disk.link(node, name(), in: directory)
    }

    /// A name that comes and goes while a file is opened by it.
    private func ephemeralLink() {
        guard let node = entry()?.node, node.kind == .regular else { return }
        let (name, directory) = (name(), directory(inside: true))
        guard directory.children[name] == nil, isHeard(directory), isOfOneLayer(node, directory) else {
            return
        }
        disk.link(node, name, in: directory)
        guard let entry = directory.children[name] else { return }
        let file = disk.open(entry)
        disk.unlink(entry)
        disk.write(bytes(), to: file)
        keep(file)
    }

    private func rename() {
        guard let entry = entry() else { return }
        let directory = directory()
        guard mayGo(entry, to: directory) else { return }
        let name = name()
        if let target = directory.children[name], !mayLoseName(target) { return }
        disk.rename(entry, to: name, in: directory)
    }

    private func exchange() {
        guard let first = entry(), let second = entry(),
            disk.top(of: first.parent) === disk.top(of: second.parent)
        else { return }
        disk.exchange(first, second)
    }

    private func removeTree() {
        guard let entry = entry(), entry.node.kind == .directory else { return }
        remove(entry)
    }

    private func remove(_ entry: SimulatedDisk.Entry) {
        for child in entry.node.children.values { remove(child) }
        disk.unlink(entry)
    }

    // MARK: What leaves a trace

    /// Whether the layer hears of the directory's names: it is outside of all, or watched by the layer it is in.
    ///
    /// A file that gets a name in a directory that was just made or came from another layer, is open by it, and loses
    /// it before the layer could watch, leaves no trace: only an audit finds what is written to it, so it is left out.
    private func isHeard(_ directory: SimulatedDisk.Node) -> Bool {
        let top = disk.top(of: directory)
        guard let layer = disk.roots.firstIndex(where: { $0 === top }) else { return true }
        return isWatched(directory, layer)
    }

    /// Whether what an entry names may lose this name, and another file have it: not if it is open, has other names, and
    /// the layer does not hear of this one.
    private func mayLoseName(_ entry: SimulatedDisk.Entry) -> Bool {
        isHeard(entry.parent) || entry.node.openCount == 0 || !disk.isLinked(entry.node)
    }

    /// Whether a file has no names in another layer than a directory's.
    ///
    /// A name in another layer that comes and goes before anyone looks leaves no trace in the first: only an audit
    /// finds what is written by it. Names across layers are made when all is quiet (``linkAcrossLayers()``).
    private func isOfOneLayer(_ node: SimulatedDisk.Node, _ directory: SimulatedDisk.Node) -> Bool {
        guard disk.roots.count > 1 else { return true }
        // Nor does the layer hear of a file in a directory that came from another, and may go back.
        guard node.parents.allSatisfy(isHeard) else { return false }
        let top = disk.top(of: directory)
        if top === disk.outside { return node.openCount == 0 }
        return node.links > 0 && node.parents.allSatisfy { disk.top(of: $0) === top }
    }

    /// Whether what an entry names may move to a directory: over a layer's border only what is not open, and between
    /// layers nothing that could be open by another of its names.
    private func mayGo(_ entry: SimulatedDisk.Entry, to directory: SimulatedDisk.Node) -> Bool {
        guard disk.top(of: directory) !== disk.top(of: entry.parent) else { return true }
        return !disk.isOpen(entry.node) && (disk.roots.count == 1 || !disk.isLinked(entry.node))
    }

    // MARK: Choices

    /// A directory, seldom one outside of the layer.
    ///
    /// Files go there and come from there, but are written inside: a container reaches its files by names of its
    /// layer alone, and a write by any other has no event that the layer's directories could tell.
    private func directory(inside: Bool = false) -> SimulatedDisk.Node {
        var node = disk.outside
        if inside || Int.random(in: 0..<12, using: &generator) != 0 {
            node = disk.roots[Int.random(in: disk.roots.indices, using: &generator)]
        }
        for _ in 0..<Int.random(in: 0...(isNarrow ? 1 : 3), using: &generator) {
            let name = name()
            guard let next = node.children[name]?.node, next.kind == .directory else { continue }
            node = next
        }
        return node
    }

    private func entry(inside: Bool = false) -> SimulatedDisk.Entry? {
        let directory = directory(inside: inside)
        for _ in 0..<3 {
            if let entry = directory.children[name()] { return entry }
        }
        return nil
    }

    private func name() -> FileName {
        names[Int.random(in: 0..<names.count, using: &generator)]
    }

    private func bytes() -> Int64 {
        Int64.random(in: 1..<60_000, using: &generator)
    }
}
