import Accounting
import Kernel

/// Puts together what the databases and the directories of a root said.
struct ContainerdAssembly {
    /// A snapshot that has a layer.
    struct Placed {
        let id: String
        let kind: SnapshotterMetadata.Snapshot.Kind
        let snapshotter: Snapshotter
        /// The name of its directory.
        let name: String
    }

    let paths: ContainerdPaths
    let options: StoreOptions
    let databases: ContainerdDatabases
    let listing: ContainerdListing
    /// Images and containers of others are left out; `nil` takes all.
    let namespace: String?
    /// The wall clock, nanoseconds since the epoch.
    let now: Int64
    var notes: ReadingNotes

    var layers: [LayerFact] = []
    var images: [ImageFact] = []
    var containers: [ContainerFact] = []
    var volumes: [VolumeFact] = []
    var trees: [TreeFact] = []
    /// Layers that lie where the patterns of the overhead do not expect any.
    private var moreExcluded: [PathPattern] = []
    private(set) var readAgainAt: Int64?

    /// The layer of each snapshot, by snapshotter and key in the snapshotter's database.
    var placed: [Snapshotter: [String: Placed]] = [:]
    /// The layers that an engine prepared for one container each.
    private var initials: Set<String> = []
    /// The container of each snapshot of overlayfs, by namespace and name.
    private let users: [String: [String: String]]
    /// Which blobs are layers, by digest.
    var contentIDs: [String: String] = [:]
    /// The ids of the images, by namespace and digest with a space between.
    var imageIDs: [String: String] = [:]

    init(
        paths: ContainerdPaths, options: StoreOptions, databases: ContainerdDatabases,
        listing: ContainerdListing, namespace: String?, now: Int64, notes: ReadingNotes
    ) {
        self.paths = paths
        self.options = options
        self.databases = databases
        self.listing = listing
        self.namespace = namespace
        self.now = now
        self.notes = notes
        users = databases.metadata.namespaces.mapValues { content in
            let named = content.containers.filter { $0.value.snapshotter == Snapshotter.overlayfs.rawValue }
            return Dictionary(named.map { ($1.snapshotKey, $0) }, uniquingKeysWith: min)
        }
    }

    func reading(_ identity: StoreIdentity) -> StoreReading {
        notes.reading(
            StoreFacts(
                store: identity, layers: layers, images: images, containers: containers, volumes: volumes,
                trees: trees, overhead: overhead), readAgainAt: readAgainAt)
    }

    /// All below the root that has no class of its own.
    var overhead: OverheadFact {
        OverheadFact(directory: paths.root, excluded: Self.excluded + moreExcluded, groups: Self.groups)
    }

    /// Where layers, blobs and downloads lie, and what is mounted for a while.
    private static let excluded: [PathPattern] = [
        "io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs",
        "io.containerd.snapshotter.v1.native/snapshots/*",
        "io.containerd.content.v1.content/blobs/*/*",
        "io.containerd.content.v1.content/ingest/*",
        "io.containerd.grpc.v1.cri/containers/*/volumes/*",
        "tmpmounts/*/*",
    ]

    /// What goes with a snapshot, and with a container.
    private static let groups: [PathPattern] = [
        "io.containerd.snapshotter.v1.overlayfs/snapshots/*",
        "io.containerd.runtime.v2.task/*/*",
        "io.containerd.grpc.v1.cri/containers/*",
        "io.containerd.grpc.v1.cri/sandboxes/*",
    ]

    // MARK: Snapshots

    /// The namespace and the name of each snapshot that `meta.db` knows, by snapshotter and key.
    private func owners() -> [Snapshotter: [String: (namespace: String, name: String)]] {
        var owners: [Snapshotter: [String: (namespace: String, name: String)]] = [:]
        for (namespace, content) in databases.metadata.namespaces {
            for snapshotter in Snapshotter.allCases {
                for (name, key) in content.snapshots[snapshotter.rawValue] ?? [:] {
                    owners[snapshotter, default: [:]][key] = (namespace, name)
                }
            }
        }
        return owners
    }

    /// Names every layer: what has a directory.
    mutating func addSnapshots(_ ids: inout UniqueIDs) {
        let owners = owners()
        var objects: [(object: String, candidates: [String])] = []
        for snapshotter in Snapshotter.allCases {
            let known = databases.snapshotters[snapshotter]?.snapshots ?? [:]
            let order = known.keys.sorted {
                (SnapshotterMetadata.parts(ofKey: $0)?.sequence ?? .max, $0)
                    < (SnapshotterMetadata.parts(ofKey: $1)?.sequence ?? .max, $1)
            }
            for key in order {
                guard owners[snapshotter]?[key] != nil else {
                    // One that is removed and not collected yet must not keep the id from its successor.
                    let number = known[key]?.number ?? 0
                    objects.append((Self.object(snapshotter, key), ["\(snapshotter.rawValue)/\(number)"]))
                    continue
                }
                let parts = SnapshotterMetadata.parts(ofKey: key)
                let name = Self.id(ofName: owners[snapshotter]?[key]?.name ?? parts?.name ?? key)
                let namespace = FileName.escape(Array((parts?.namespace ?? "").utf8))
                objects.append(
                    (
                        Self.object(snapshotter, key),
                        [name, "\(namespace)/\(name)", "\(namespace)/\(snapshotter.rawValue)/\(name)"]
                    ))
            }
            let numbers = Set(known.values.map { String($0.number) })
            for name in (listing.snapshots[snapshotter] ?? [:]).keys.sorted() where !numbers.contains(name) {
                objects.append((Self.object(snapshotter, "/" + name), ["\(snapshotter.rawValue)/\(name)"]))
            }
        }
        let assigned = ids.assign(objects)
        for snapshotter in Snapshotter.allCases {
            addKnown(snapshotter, owners[snapshotter] ?? [:], assigned)
            addUnknown(snapshotter, assigned)
        }
    }

    private static func object(_ snapshotter: Snapshotter, _ name: String) -> String {
        "\(snapshotter.rawValue) \(name)"
    }

    /// The digits of a chain id, or the name as it is.
    static func id(ofName name: String) -> String {
        ObjectID.digest(name) ?? FileName.escape(Array(name.utf8))
    }

    private mutating func addKnown(
        _ snapshotter: Snapshotter, _ owners: [String: (namespace: String, name: String)],
        _ ids: [String: String]
    ) {
        let metadata = databases.snapshotters[snapshotter] ?? SnapshotterMetadata()
        let path = paths.directory(of: snapshotter.rawValue) + "/" + ContainerdDatabases.snapshotterFile
        for (key, reason) in metadata.faults.sorted(by: { $0.key < $1.key }) {
            let name = SnapshotterMetadata.parts(ofKey: key)?.name ?? key
            let id = ids[Self.object(snapshotter, key)] ?? Self.id(ofName: name)
            notes.add(.damaged(path, "snapshot \(ObjectID.quoted(key)): \(reason)"), of: .layer(id))
        }
        var numbers: [UInt64: String] = [:]
        for (key, snapshot) in metadata.snapshots.sorted(by: { $0.key < $1.key }) {
            guard let id = ids[Self.object(snapshotter, key)] else { continue }
            let name = String(snapshot.number)
            if let other = numbers.updateValue(key, forKey: snapshot.number) {
                let reason = "\(ObjectID.quoted(other)) and \(ObjectID.quoted(key)) have one directory"
                notes.add(.damaged(path, reason), of: .layer(id))
                numbers[snapshot.number] = other
                continue
            }
            guard listing.snapshots[snapshotter]?[name]?.hasLayer == true else {
                // A view needs no directory where it is the snapshot below, mounted.
                if snapshotter == .native, snapshot.kind == .view { continue }
                notes.add(
                    .damaged(paths.layer(snapshotter, name), "it is no directory, but a snapshot's layer"),
                    of: .layer(id))
                continue
            }
            placed[snapshotter, default: [:]][key] = Placed(
                id: id, kind: snapshot.kind, snapshotter: snapshotter, name: name)
        }
        let rings = ParentRings.members(metadata.snapshots.mapValues(\.parent))
        for (key, place) in (placed[snapshotter] ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let snapshot = metadata.snapshots[key] else { continue }
            var parent = snapshot.parent
            if let below = parent {
                let reason: String? =
                    rings.contains(key)
                    ? "the parents of the snapshot lead in a circle"
                    : metadata.snapshots[below] == nil
                        ? "the snapshot lies on \(ObjectID.quoted(below)), which is not there" : nil
                if let reason {
                    notes.add(.damaged(path, reason), of: .layer(place.id))
                    parent = nil
                }
            }
            let (kind, isWritable) = self.kind(key, snapshot.kind, owners[key])
            if kind == .initial { initials.insert(place.id) }
            let overlay = snapshotter == .overlayfs && kind == .container && isWritable
            layers.append(
                LayerFact(
                    id: place.id, kind: kind,
                    parent: parent.flatMap { placed[snapshotter]?[$0]?.id },
                    directory: paths.layer(snapshotter, place.name), isWritable: isWritable,
                    isFullCopy: snapshotter == .native,
                    mount: overlay ? mount(place.name, owners[key]) : nil,
                    metadata: paths.group(snapshotter, place.name)))
        }
    }

    private func kind(
        _ key: String, _ kind: SnapshotterMetadata.Snapshot.Kind, _ owner: (namespace: String, name: String)?
    ) -> (LayerFact.Kind, isWritable: Bool) {
        // What meta.db does not name is being made, or has been removed and is collected.
        guard let owner else { return (.inFlight, kind == .active) }
        switch kind {
        case .committed:
            let content = databases.metadata.namespaces[owner.namespace]
            let isInit =
                owner.name.hasSuffix("-init")
                && [Snapshotter.overlayfs.rawValue, Snapshotter.native.rawValue].contains {
                    content?.snapshots[$0]?[String(owner.name.dropLast(5))] != nil
                }
            return (isInit ? .initial : .image, false)
        case .view: return (.container, false)
        case .active:
            // What containerd unpacks, and what Docker makes the layer `NAME-init` of.
            let isMade = owner.name.hasPrefix("extract-") || owner.name.hasSuffix("-init-key")
            return (isMade ? .inFlight : .container, true)
        }
    }

    private func mount(_ name: String, _ owner: (namespace: String, name: String)?) -> OverlayMount? {
        guard let owner,
            let container = users[owner.namespace]?[owner.name], Self.isFileName(container),
            Self.isFileName(owner.namespace)
        else { return nil }
        return OverlayMount(
            merged: paths.rootFileSystem(of: container, in: owner.namespace),
            work: "\(paths.snapshots(.overlayfs))/\(name)/work")
    }

    /// The layers that a snapshot lies on, the lowest first, but for the one that an engine prepared for it alone.
    func below(_ key: String, _ snapshotter: Snapshotter) -> (chain: [String], initial: String?) {
        let ids = chain(from: key, snapshotter).dropLast().compactMap { placed[snapshotter]?[$0]?.id }
        guard let last = ids.last, initials.contains(last) else { return (ids, nil) }
        return (ids.dropLast(), last)
    }

    /// Directories that no snapshot has: what is being made, removed, or was forgotten.
    private mutating func addUnknown(_ snapshotter: Snapshotter, _ ids: [String: String]) {
        let numbers = Set((databases.snapshotters[snapshotter]?.snapshots.values ?? [:].values).map(\.number))
        for (name, entry) in (listing.snapshots[snapshotter] ?? [:]).sorted(by: { $0.key < $1.key }) {
            if let number = UInt64(name), String(number) == name, numbers.contains(number) { continue }
            guard let id = ids[Self.object(snapshotter, "/" + name)] else { continue }
            var directory = paths.layer(snapshotter, name)
            var metadata = paths.group(snapshotter, name)
            if snapshotter.differences != nil, !entry.hasLayer {
                guard !AbsolutePath.exists(directory) else { continue }
                // Not even what it was made for is in it.
                directory = "\(paths.snapshots(snapshotter))/\(name)"
                moreExcluded.append(PathPattern(exactly: String(directory.dropFirst(paths.root.count))))
                metadata = []
            }
            let isTemporary = name.hasPrefix("new-") || name.hasPrefix("rm-")
            add(
                forgotten: LayerFact(
                    id: id, kind: .inFlight, directory: directory, isFullCopy: snapshotter == .native,
                    metadata: metadata), changed: entry.changed, isTemporary: isTemporary)
        }
    }

    /// Adds what no metadata names: it is in flight while it is young, and an orphan then.
    private mutating func add(forgotten layer: LayerFact, changed: Int64, isTemporary: Bool = false) {
        var layer = layer
        let (due, overflow) = changed.addingReportingOverflow(
            Int64(clampedSeconds: options.orphanSeconds))
        if !isTemporary, overflow || due > now {
            if !overflow { readAgainAt = min(readAgainAt ?? due, due) }
        } else if !isTemporary {
            layer.kind = .orphan
            layer.isWritable = false
            layer.since = changed
        }
        layers.append(layer)
    }

    // MARK: Content

    /// Blobs are layers of their own; `lowest` are the ids that layers of images have or will have.
    mutating func addContent(apartFrom lowest: Set<String>) {
        let taken = lowest.union(layers.map(\.id))
        var sizes: [String: Int64] = [:]
        var known: Set<String> = []
        for content in databases.metadata.namespaces.values {
            for (digest, blob) in content.blobs {
                known.insert(digest)
                if let size = blob.size { sizes[digest] = size }
            }
        }
        for (algorithm, blobs) in listing.blobs.sorted(by: { $0.key < $1.key }) {
            for name in blobs.names {
                let digest = "\(algorithm):\(name)"
                let path = "\(blobs.directory.path)/\(name)"
                let id = taken.contains(name) ? "content/\(name)" : name
                guard let status = blobs.directory.status(of: name) else { continue }
                if status.kind != .regular {
                    notes.add(.damaged(path, "it is not a regular file, but a blob"), of: .layer(id))
                }
                if known.contains(digest) {
                    contentIDs[digest] = id
                    layers.append(
                        LayerFact(
                            id: id, kind: .content, directory: path, declaredSizeBytes: sizes[digest]))
                } else {
                    add(
                        forgotten: LayerFact(id: id, kind: .inFlight, directory: path, isWritable: false),
                        changed: status.changed)
                }
            }
        }
        for name in listing.ingests {
            trees.append(
                TreeFact(id: "ingest:\(name)", kind: .inFlight, directory: "\(paths.ingests)/\(name)"))
        }
    }

    // MARK: Faults

    /// Says what `meta.db` holds that makes no sense, and which snapshotters are not accounted.
    mutating func addFaults() {
        let path = paths.metadata + "/" + ContainerdDatabases.metadataFile
        for fault in databases.metadata.faults {
            let (object, name): (StoreProblem.Object, String) =
                switch fault.object {
                case .image(let name): (.image(name), "image")
                case .container(let id): (.container(id), "container")
                case .snapshot(let key): (.layer(Self.id(ofName: key)), "snapshot")
                case .blob(let digest): (.layer(Self.id(ofName: digest)), "blob")
                }
            notes.add(
                .damaged(path, "namespace \(ObjectID.quoted(fault.namespace)), \(name): \(fault.reason)"),
                of: object)
        }
        for (name, fault) in databases.others.sorted(by: { $0.key < $1.key }) {
            let reason =
                fault.map { "its database cannot be read (\($0)), and only" } ?? "only"
            notes.add(
                .damaged(
                    paths.directory(of: name),
                    "\(reason) the snapshotters overlayfs and native are accounted snapshot by snapshot: what this "
                        + "one keeps on the same file system counts as overhead, the rest nowhere"),
                of: .store)
        }
    }

    static func isFileName(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text != "." && text != ".."
            && !text.utf8.contains { $0 == 0x2F || $0 == 0 }
    }
}

extension Int64 {
    /// Nanoseconds of so many seconds.
    init(clampedSeconds seconds: Double) {
        let nanoseconds = (seconds * 1e9).rounded()
        self = nanoseconds >= 9.2e18 ? .max : nanoseconds > 0 ? Int64(nanoseconds) : 0
    }
}
