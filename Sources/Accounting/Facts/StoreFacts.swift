/// What a store's own metadata says, in terms that no engine owns: the neutral form that every reader yields.
public struct StoreFacts: Hashable, Sendable {
    public var store: StoreIdentity
    public var layers: [LayerFact]
    public var images: [ImageFact]
    public var containers: [ContainerFact]
    public var volumes: [VolumeFact]
    /// Directories beside the layers whose bytes have a class of their own: logs, volumes, downloads.
    public var trees: [TreeFact]
    /// All else below the store's root; `nil` where the root holds nothing of an engine's own.
    public var overhead: OverheadFact?
    /// What could not be read or does not make sense; the rest of the store is unaffected.
    public var problems: [StoreProblem]

    public init(
        store: StoreIdentity, layers: [LayerFact] = [], images: [ImageFact] = [],
        containers: [ContainerFact] = [], volumes: [VolumeFact] = [], trees: [TreeFact] = [],
        overhead: OverheadFact? = nil, problems: [StoreProblem] = []
    ) {
        self.store = store
        self.layers = layers
        self.images = images
        self.containers = containers
        self.volumes = volumes
        self.trees = trees
        self.overhead = overhead
        self.problems = problems
    }
}

/// Which store: an engine's data under one root.
public struct StoreIdentity: Hashable, Sendable, Codable, Comparable {
    /// The engine, for example `docker`.
    public var engine: String
    /// The storage driver, for example `overlay2`.
    public var driver: String
    /// The absolute path of the data root, free of symbolic links.
    public var root: String

    public init(engine: String, driver: String, root: String) {
        self.engine = engine
        self.driver = driver
        self.root = root
    }

    /// The root for what lies in it, else the path itself: what lies on one file system, as far as paths tell.
    public func place(of path: String) -> String {
        path == root || path.hasPrefix(root == "/" ? "/" : root + "/") ? root : path
    }

    /// By root, then by engine.
    public static func < (left: StoreIdentity, right: StoreIdentity) -> Bool {
        (left.root, left.engine, left.driver) < (right.root, right.engine, right.driver)
    }
}

/// One directory of differences, or one blob of compressed content.
public struct LayerFact: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case image, container, initial = "init", buildCache = "build-cache", content
        /// A layer that is being downloaded, unpacked or made, and that no metadata names yet.
        case inFlight = "in-flight"
        /// One that no metadata names and that is older than the time of grace.
        case orphan
    }

    /// The engine's id without an algorithm prefix: a chain id for an image layer, a mount id for a container's.
    public var id: String
    public var kind: Kind
    /// The layer it lies on; `nil` for the lowest.
    public var parent: String?
    /// The absolute path of the directory that holds the differences; of a blob, the file.
    public var directory: String
    /// Whether something may write to it, so that it is followed; else it is measured once.
    public var isWritable: Bool
    /// Whether the directory holds the whole root file system up to this layer, as the drivers `vfs` and `btrfs`
    /// have it, and not the differences alone.
    public var isFullCopy: Bool
    /// Whether the cache of builds has an image's layer as well, so that it stays when the image goes.
    public var isCached: Bool
    /// Where the engine mounts it, for a writable layer of overlayfs.
    public var mount: OverlayMount?
    /// What the engine recorded as its size when it registered the layer; apparent bytes.
    public var declaredSizeBytes: Int64?
    /// The diff id (digest of the uncompressed tar), without an algorithm prefix.
    public var diffID: String?
    /// Since when an orphan lies there: its last change, nanoseconds since the epoch.
    public var since: Int64?
    /// The groups of ``OverheadFact`` that go when it goes.
    public var metadata: [String]

    /// `isWritable` is what the kind says where it is not given: a container's layer is, and one in the making.
    public init(
        id: String, kind: Kind, parent: String? = nil, directory: String, isWritable: Bool? = nil,
        isFullCopy: Bool = false, isCached: Bool = false, mount: OverlayMount? = nil,
        declaredSizeBytes: Int64? = nil,
        diffID: String? = nil, since: Int64? = nil, metadata: [String] = []
    ) {
        self.id = id
        self.kind = kind
        self.parent = parent
        self.directory = directory
        self.isWritable = isWritable ?? (kind == .container || kind == .inFlight)
        self.isFullCopy = isFullCopy
        self.isCached = isCached
        self.mount = mount
        self.declaredSizeBytes = declaredSizeBytes
        self.diffID = diffID
        self.since = since
        self.metadata = metadata
    }
}

/// A name or an id that points at a chain of layers.
public struct ImageFact: Hashable, Sendable {
    /// The full id without an algorithm prefix.
    public var id: String
    /// `repository:tag`, sorted; empty for an untagged image.
    public var names: [String]
    /// The image it was built directly on, where the store knows it.
    public var parent: String?
    /// Layer ids, the lowest first.
    public var layers: [String]
    /// The steps it was built by, the oldest first.
    public var history: [HistoryStep]
    /// When it was made, as the image says (RFC 3339).
    public var created: String?
    public var architecture: String?
    public var os: String?
    /// The ids of the layers of kind ``LayerFact/Kind/content`` that it was pulled as, and its manifests.
    public var content: [String]
    /// The engine's namespace, where it has such.
    public var namespace: String?
    /// The groups of ``OverheadFact`` that go when it goes.
    public var metadata: [String]

    public init(
        id: String, names: [String] = [], parent: String? = nil, layers: [String] = [],
        history: [HistoryStep] = [], created: String? = nil, architecture: String? = nil, os: String? = nil,
        content: [String] = [], namespace: String? = nil, metadata: [String] = []
    ) {
        self.id = id
        self.names = names
        self.parent = parent
        self.layers = layers
        self.history = history
        self.created = created
        self.architecture = architecture
        self.os = os
        self.content = content
        self.namespace = namespace
        self.metadata = metadata
    }
}

/// One step of an image's history.
public struct HistoryStep: Hashable, Sendable {
    /// The instruction, as the image records it.
    public var instruction: String
    public var created: String?
    public var comment: String?
    /// The layer that the step made; `nil` for a step that wrote nothing (`empty_layer`).
    public var layer: String?

    public init(instruction: String, created: String? = nil, comment: String? = nil, layer: String? = nil) {
        self.instruction = instruction
        self.created = created
        self.comment = comment
        self.layer = layer
    }
}

/// A container: its writable layer on the chain of an image.
public struct ContainerFact: Hashable, Sendable {
    public var id: String
    public var name: String
    /// The image's id without an algorithm prefix; empty where the container has none.
    public var imageID: String
    /// The image as the user named it when the container was made.
    public var imageName: String?
    public var labels: [String: String]
    /// The writable layer's id.
    public var layer: String
    /// The layer between the image and the writable one, with mount points that the engine prepared.
    public var initLayer: String?
    /// The image's layers that the container lies on, the lowest first.
    public var chain: [String]
    public var logPath: String?
    public var mounts: [MountFact]
    public var created: String?
    public var isRunning: Bool
    /// The ids of the ``TreeFact``s that belong to it alone: its logs.
    public var trees: [String]
    /// The engine's namespace, where it has such.
    public var namespace: String?
    /// The groups of ``OverheadFact`` that go when it goes.
    public var metadata: [String]

    public init(
        id: String, name: String, imageID: String = "", imageName: String? = nil,
        labels: [String: String] = [:],
        layer: String, initLayer: String? = nil, chain: [String] = [], logPath: String? = nil,
        mounts: [MountFact] = [], created: String? = nil, isRunning: Bool = false, trees: [String] = [],
        namespace: String? = nil, metadata: [String] = []
    ) {
        self.id = id
        self.name = name
        self.imageID = imageID
        self.imageName = imageName
        self.labels = labels
        self.layer = layer
        self.initLayer = initLayer
        self.chain = chain
        self.logPath = logPath
        self.mounts = mounts
        self.created = created
        self.isRunning = isRunning
        self.trees = trees
        self.namespace = namespace
        self.metadata = metadata
    }
}

/// Something mounted into a container.
public struct MountFact: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case volume, bind, tmpfs, other
    }

    public var kind: Kind
    /// The volume's name, for ``Kind/volume``.
    public var name: String?
    /// The path on the host.
    public var source: String
    /// The path in the container.
    public var destination: String

    public init(kind: Kind, name: String? = nil, source: String, destination: String) {
        self.kind = kind
        self.name = name
        self.source = source
        self.destination = destination
    }
}

/// Metadata that could not be used.
public struct StoreProblem: Hashable, Sendable {
    public enum Severity: Hashable, Sendable {
        /// It looks half-written: read again soon, damaged if it stays so.
        case pending
        /// The object is wrong; its figures are missing or not to be trusted.
        case damaged
        /// The store as a whole cannot be read now; what is known of it is old.
        case unreadable
    }

    public enum Object: Hashable, Sendable {
        case store, layer(String), image(String), container(String), volume(String)
    }

    public var severity: Severity
    public var object: Object
    /// The file that is wrong.
    public var path: String
    /// What is wrong with it, and what to do, in one line.
    public var reason: String

    public init(severity: Severity, object: Object, path: String, reason: String) {
        self.severity = severity
        self.object = object
        self.path = path
        self.reason = reason
    }
}
