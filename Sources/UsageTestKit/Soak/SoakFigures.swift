package import Accounting
package import Wire

/// The figures of a host by full walks of everything, to compare the daemon's with.
package struct SoakFigures: Equatable {
    package struct Figure: Hashable, CustomStringConvertible {
        package var disk: Int64 = 0
        package var size: Int64 = 0

        package var description: String { "\(disk) bytes on the disk and \(size) in size" }

        static func + (left: Figure, right: Figure) -> Figure {
            Figure(disk: left.disk + right.disk, size: left.size + right.size)
        }
    }

    /// What layers of images hold, which does not change: each is walked once, until ``forget()``.
    package struct ImageLayers {
        fileprivate var figures: [String: Figure] = [:]

        package init() {}

        /// Has all of them walked anew.
        package mutating func forget() { figures = [:] }

        fileprivate mutating func walk(_ layers: [LayerFact]) throws {
            var current: [String: Figure] = [:]
            for layer in layers {
                current[layer.id] = try figures[layer.id] ?? Figure(FullWalk(walking: layer.directory))
            }
            figures = current
        }
    }

    /// By id.
    private var containers: [String: (name: String, figure: Figure, chain: Figure, logs: Figure)] = [:]
    private var images: [String: Figure] = [:]
    private var volumes: [String: Figure] = [:]
    private var imageLayers = Figure()
    private var imageLayerCount = 0
    /// Directories that are watched for what is in them: those of writable layers and of volumes.
    package private(set) var directories: Int64 = 0

    /// Walks all that the facts name, but for the layers of images that were walked before.
    package init(_ facts: StoreFacts, _ known: inout ImageLayers) throws {
        let layers = facts.layers.filter { $0.kind == .image }
        try known.walk(layers)
        func chain(_ ids: [String]) -> Figure { ids.compactMap { known.figures[$0] }.reduce(Figure(), +) }
        imageLayers = chain(layers.map(\.id))
        imageLayerCount = layers.count
        for image in facts.images { images[image.id] = chain(image.layers) }
        let writable = Dictionary(
            facts.layers.filter { $0.kind == .container }.map { ($0.id, $0.directory) },
            uniquingKeysWith: { first, _ in first })
        let trees = try StoreWalk(StoreFacts(store: facts.store, trees: facts.trees))
        for container in facts.containers {
            let walk = try FullWalk(walking: writable[container.layer] ?? "")
            directories += walk.directories
            let logs = container.trees.map {
                Figure(disk: trees.objects[$0] ?? 0, size: trees.sizes[$0] ?? 0)
            }
            containers[container.id] = (
                container.name, Figure(walk), chain(container.chain), logs.reduce(Figure(), +)
            )
        }
        for volume in facts.volumes {
            let walk = try FullWalk(walking: volume.source)
            directories += walk.directories
            volumes[volume.name] = Figure(walk)
        }
    }

    package static func == (left: SoakFigures, right: SoakFigures) -> Bool {
        left.images == right.images && left.volumes == right.volumes && left.imageLayers == right.imageLayers
            && left.containers.count == right.containers.count
            && left.containers.allSatisfy { id, container in
                right.containers[id].map { container == $0 } == true
            }
    }

    // MARK: Comparing

    /// What a status says otherwise, one line each.
    package func differences(of status: Status) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ said: Figure?, _ walked: Figure?) {
            guard said != walked else { return }
            found.append(
                "\(what): usaged says \(said?.description ?? "that it is not there"), and a full walk "
                    + (walked?.description ?? "that it is not there"))
        }
        let said = Dictionary(status.containers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for id in Set(containers.keys).union(said.keys).sorted() {
            let (walked, container) = (containers[id], said[id])
            let what = "container \(walked?.name ?? container?.name ?? "") (\(id))"
            compare(
                what, container.map { Figure(disk: $0.diskBytes, size: $0.sizeBytes) }, walked?.figure)
            guard let walked, let container else { continue }
            if walked.name != container.name { found.append("\(what): usaged calls it \(container.name)") }
            if container.state != .exact {
                found.append("\(what): it is \(container.state) in an exact answer")
            }
            if container.logBytes != walked.logs.disk {
                found.append(
                    "logs of \(what): usaged says \(container.logBytes), a full walk \(walked.logs.disk)")
            }
            let virtual = walked.figure.size + walked.chain.size
            if container.virtualSizeBytes != virtual {
                found.append(
                    "\(what): its virtual size is \(container.virtualSizeBytes), by walks \(virtual)")
            }
        }
        let saidImages = Dictionary(
            status.images.map { ($0.id, Figure(disk: $0.diskBytes, size: $0.virtualSizeBytes)) },
            uniquingKeysWith: { first, _ in first })
        for id in Set(images.keys).union(saidImages.keys).sorted() {
            compare("image \(id)", saidImages[id], images[id])
        }
        let saidVolumes = Dictionary(
            status.volumes.map { ($0.name, Figure(disk: $0.diskBytes, size: $0.sizeBytes)) },
            uniquingKeysWith: { first, _ in first })
        for name in Set(volumes.keys).union(saidVolumes.keys).sorted() {
            compare("volume \(name)", saidVolumes[name], volumes[name])
        }
        let totals = status.totals
        for (what, total, count, walked) in [
            ("containers", totals.containers, containers.count, containers.values.map(\.figure)),
            ("logs", totals.logs, containers.count, containers.values.map(\.logs)),
            ("volumes", totals.volumes, volumes.count, Array(volumes.values)),
            ("image layers", totals.imageLayers, imageLayerCount, [imageLayers]),
            ("orphans", totals.orphans, 0, []),
        ] {
            compare("total of \(what)", Figure(total), walked.reduce(Figure(), +))
            if total.count != count {
                found.append("total of \(what): usaged counts \(total.count) of \(count)")
            }
        }
        return found
    }
}

extension SoakFigures.Figure {
    fileprivate init(_ walk: FullWalk) { self.init(disk: walk.diskBytes, size: walk.sizeBytes) }

    fileprivate init(_ total: Total) { self.init(disk: total.diskBytes, size: total.sizeBytes) }
}
