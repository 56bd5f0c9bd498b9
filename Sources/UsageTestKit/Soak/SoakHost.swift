internal import Accounting
internal import Glibc
internal import Kernel

/// The engine's part in the life of a host: containers, images, volumes and logs that come, change and go.
///
/// A container that runs is worked in through its mounted overlay, a stopped one through its upper directory. Needs
/// root, for the mounts.
package struct SoakHost: Sendable {
    /// Something that is written to at random, by the id of its container or volume.
    package struct Writer: Sendable {
        package let id: String
        package let root: String
        package var calls: RandomSystemCalls
    }

    private let options: SoakOptions
    package private(set) var store: DockerStoreBuilder
    private var generator: SeededGenerator
    /// Those that rest; the engine leaves alone whose writer is away.
    private var writers: [String: Writer] = [:]
    private var mounted: Set<String> = []
    private var numbered = 0
    /// What the engine did so far.
    package private(set) var operations = 0

    /// Makes the host in `root`; half of the containers run.
    package init(in root: String, _ options: SoakOptions) throws {
        self.options = options
        let host = try LargeHost.make(
            in: root,
            LargeHost.Options(
                containers: options.containers, imageLayers: options.imageLayers, seed: options.seed))
        store = host.store
        generator = SeededGenerator(seed: options.seed ^ 0x50AC)
        for (index, container) in host.containers.enumerated() {
            if index % 2 == 0 { try start(container) } else { addWriter(of: container) }
        }
        for volume in store.volumes.values.sorted(by: { $0.name < $1.name }) { addWriter(of: volume) }
    }

    // MARK: Writers

    /// Gives some of those that rest away, to be written with.
    package mutating func takeWriters(_ count: Int) -> [Writer] {
        let ids = writers.keys.sorted().shuffled(using: &generator).prefix(count)
        return ids.compactMap { writers.removeValue(forKey: $0) }
    }

    package mutating func giveBack(_ returned: [Writer]) {
        for writer in returned { writers[writer.id] = writer }
    }

    /// Has all that rest close what they hold open.
    package mutating func closeFiles() {
        for id in writers.keys { writers[id]?.calls.finish() }
    }

    /// Where what rests is written to; `nil` for what is gone.
    package func root(of id: String) -> String? { writers[id]?.root }

    private mutating func addWriter(of container: ContainerFact) {
        let root = mounted.contains(container.id) ? merged(container) : store.upperDirectory(of: container)
        addWriter(container.id, root: root)
    }

    private mutating func addWriter(of volume: VolumeFact) {
        addWriter("volume:\(volume.name)", root: volume.source)
    }

    private mutating func addWriter(_ id: String, root: String) {
        writers[id] = Writer(
            id: id, root: root, calls: RandomSystemCalls(root: root, seed: generator.next()))
    }

    private mutating func endWriter(_ id: String) {
        writers[id]?.calls.finish()
        writers[id] = nil
    }

    // MARK: The engine

    /// One operation of the engine, on what rests.
    package mutating func operate() throws {
        operations += 1
        switch Int.random(in: 0..<20, using: &generator) {
        case 0...3:
            try grows(store.containers.count, around: options.containers)
                ? addContainer() : removeContainer()
        case 4...6: try startOrStop()
        case 7: try rename()
        case 8...10:
            let layers = store.layers.values.count { $0.kind == .image }
            try grows(layers, around: options.imageLayers) ? pull() : removeImage()
        case 11: try retag()
        case 12...16: try log()
        case 17: try rotateLog()
        default:
            try grows(store.volumes.count, around: max(2, options.containers / 10))
                ? addVolume() : removeVolume()
        }
    }

    /// Whether another is to come; the number stays within a tenth of what it began with.
    private mutating func grows(_ count: Int, around middle: Int) -> Bool {
        let slack = max(1, middle / 10)
        if count <= middle - slack { return true }
        return count < middle + slack && Bool.random(using: &generator)
    }

    private mutating func restingContainer() -> ContainerFact? {
        store.containers.values.filter { writers[$0.id] != nil }.sorted { $0.id < $1.id }
            .randomElement(using: &generator)
    }

    private mutating func anyImage() -> ImageFact? {
        store.images.values.sorted { $0.id < $1.id }.randomElement(using: &generator)
    }

    private mutating func nextNumber() -> Int {
        numbered += 1
        return numbered
    }

    private mutating func addContainer() throws {
        let container = try store.addContainer(named: "soak-\(nextNumber())", on: anyImage())
        if Bool.random(using: &generator) { try start(container) } else { addWriter(of: container) }
    }

    private mutating func removeContainer() throws {
        guard let container = restingContainer() else { return }
        if mounted.contains(container.id) { try stop(container) }
        endWriter(container.id)
        try store.removeContainer(container.id)
    }

    private mutating func startOrStop() throws {
        guard let container = restingContainer() else { return }
        endWriter(container.id)
        if mounted.contains(container.id) {
            try stop(container)
            addWriter(of: container)
        } else {
            try start(container)
        }
    }

    private mutating func rename() throws {
        guard var container = restingContainer() else { return }
        container.name = "renamed-\(nextNumber())"
        try store.update(container)
    }

    /// Adds an image on some of the layers of another.
    private mutating func pull() throws {
        let base = anyImage()
        let shared = Int.random(in: 0...(base?.layers.count ?? 0), using: &generator)
        var chain = Array((base?.layers ?? []).prefix(shared))
        var history = chain.map { HistoryStep(instruction: "RUN below", layer: $0) }
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let content = LayerContent.tree(
                entries: .random(in: 0...40, using: &generator), filesPerDirectory: 8,
                bytesPerFile: 0...9_000, using: &generator)
            let layer = try store.addLayer(content, on: chain.last)
            chain.append(layer.id)
            history.append(HistoryStep(instruction: "RUN pulled", layer: layer.id))
        }
        try store.addImage(names: ["soak-\(nextNumber()):1"], layers: chain, history: history)
    }

    private mutating func removeImage() throws {
        let used = Set(store.containers.values.map(\.imageID))
        let free = store.images.values.filter { !used.contains($0.id) }.sorted { $0.id < $1.id }
        guard let image = free.randomElement(using: &generator) else { return }
        try store.removeImage(image.id)
    }

    private mutating func retag() throws {
        guard let image = anyImage() else { return }
        try store.rename(image: image.id, to: image.names.isEmpty ? ["soak-\(nextNumber()):2"] : [])
    }

    private mutating func addVolume() throws {
        let volume = try store.addVolume(named: "soak-\(nextNumber())")
        addWriter(of: volume)
    }

    private mutating func removeVolume() throws {
        let used = Set(store.containers.values.flatMap(\.mounts).compactMap(\.name))
        let free = store.volumes.values.map(\.name).filter {
            !used.contains($0) && writers["volume:\($0)"] != nil
        }.sorted()
        guard let name = free.randomElement(using: &generator) else { return }
        endWriter("volume:\(name)")
        try store.removeVolume(name)
    }

    private mutating func log() throws {
        guard let path = restingContainer()?.logPath else { return }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_CREAT, 0o640)
        guard descriptor >= 0 else { throw ChildProcess.StartFailure(call: "open", path: path) }
        defer { close(descriptor) }
        let bytes = [UInt8](repeating: 0x6C, count: .random(in: 1...30_000, using: &generator))
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw ChildProcess.StartFailure(call: "write", path: path)
        }
    }

    /// As the driver `json-file` does with `max-file=2`.
    private mutating func rotateLog() throws {
        guard let path = restingContainer()?.logPath else { return }
        try StoreFiles.rename(path, to: path + ".1")
        try StoreFiles.fill(path, size: 0, with: 0)
    }

    // MARK: Mounts

    private func merged(_ container: ContainerFact) -> String {
        "\(store.root)/\(store.driver)/\(container.layer)/merged"
    }

    private mutating func start(_ container: ContainerFact) throws {
        let own = "\(store.root)/\(store.driver)/\(container.layer)"
        let lower = ([container.initLayer].compactMap(\.self) + container.chain.reversed())
            .compactMap { store.layers[$0]?.directory }
        let options = "lowerdir=\(lower.joined(separator: ":")),upperdir=\(own)/diff,workdir=\(own)/work"
        mkdir(own + "/merged", 0o700)
        let more = ",redirect_dir=off,index=off,metacopy=off"
        guard mount("overlay", own + "/merged", "overlay", 0, options + more) == 0 else {
            throw ChildProcess.StartFailure(call: "mount", path: own + "/merged")
        }
        mounted.insert(container.id)
        try setRunning(true, container)
        addWriter(of: container)
    }

    /// Its writer must have ended, or end now.
    private mutating func stop(_ container: ContainerFact) throws {
        endWriter(container.id)
        umount2(merged(container), Int32(MNT_DETACH))
        rmdir(merged(container))
        mounted.remove(container.id)
        try setRunning(false, container)
    }

    private mutating func setRunning(_ isRunning: Bool, _ container: ContainerFact) throws {
        var container = container
        container.isRunning = isRunning
        try store.update(container)
    }

    /// Ends all work and unmounts everything.
    package mutating func end() {
        closeFiles()
        for container in store.containers.values where mounted.contains(container.id) {
            umount2(merged(container), Int32(MNT_DETACH))
        }
    }
}
