/// An image: a name or an id that points at a chain of layers.
public struct Image: Codable, Hashable, Sendable {
    public var engine: String
    /// The root of its store: two stores may hold one id.
    public var root: String
    /// The full id without an algorithm prefix.
    public var id: String
    public var names: [String]
    /// The image it was built directly on, where the store knows it.
    @Nullable public var parent: String?
    /// Apparent bytes of this image's own step alone; 0 for a step that wrote nothing.
    public var sizeBytes: Int64
    /// Apparent bytes of its base plus its own step.
    public var virtualSizeBytes: Int64
    /// Allocated bytes of all layers of its chain.
    public var diskBytes: Int64
    /// Apparent bytes of its layers that another image's chain uses as well.
    public var sharedBytes: Int64
    /// Apparent bytes of its layers that no other image's chain uses.
    public var uniqueBytes: Int64
    /// Layer ids, the lowest first.
    public var layers: [String]
    /// Containers made of it.
    public var containers: Int
    @Nullable public var created: String?
    public var state: SourceState
    /// Why `state` is not `exact`.
    @Nullable public var reason: String?

    public init(
        engine: String, root: String, id: String, names: [String], parent: String?, sizeBytes: Int64,
        virtualSizeBytes: Int64, diskBytes: Int64, sharedBytes: Int64, uniqueBytes: Int64, layers: [String],
        containers: Int,
        created: String? = nil, state: SourceState = .exact, reason: String? = nil
    ) {
        self.engine = engine
        self.root = root
        self.id = id
        self.names = names
        self.parent = parent
        self.sizeBytes = sizeBytes
        self.virtualSizeBytes = virtualSizeBytes
        self.diskBytes = diskBytes
        self.sharedBytes = sharedBytes
        self.uniqueBytes = uniqueBytes
        self.layers = layers
        self.containers = containers
        self.created = created
        self.state = state
        self.reason = reason
    }
}

/// `GET /v1/images`.
public struct ImageList: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var images: [Image]

    public init(schema: Int = WireCoding.schema, time: String, exact: Bool, images: [Image]) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.images = images
    }
}

/// `GET /v1/images/{id}`: an image with the steps it was built by.
public struct ImageDetail: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var image: Image
    /// The oldest first; the last one's running total is the image's virtual size.
    public var history: [Step]
    /// The chain of parents by id, the direct one first, as far as the store knows them.
    public var parents: [String]
    public var architecture: String?
    public var os: String?

    public init(
        schema: Int = WireCoding.schema, time: String, exact: Bool, image: Image, history: [Step],
        parents: [String], architecture: String? = nil, os: String? = nil
    ) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.image = image
        self.history = history
        self.parents = parents
        self.architecture = architecture
        self.os = os
    }

    /// One step of the history.
    public struct Step: Codable, Hashable, Sendable {
        public var instruction: String
        @Nullable public var created: String?
        /// The layer it made; `null` for a step that wrote nothing.
        @Nullable public var layer: String?
        /// The image that this step yielded, where the store still has it.
        @Nullable public var image: String?
        /// Apparent bytes that the step added.
        public var sizeBytes: Int64
        /// Allocated bytes that the step added.
        public var diskBytes: Int64
        /// Apparent bytes up to and including the step.
        public var runningSizeBytes: Int64

        public init(
            instruction: String, created: String?, layer: String?, image: String?, sizeBytes: Int64,
            diskBytes: Int64, runningSizeBytes: Int64
        ) {
            self.instruction = instruction
            self.created = created
            self.layer = layer
            self.image = image
            self.sizeBytes = sizeBytes
            self.diskBytes = diskBytes
            self.runningSizeBytes = runningSizeBytes
        }
    }
}

/// `GET /v1/tree`: all images of the host as a forest, shared prefixes once.
///
/// A node is one state of a file system that was built: an image with an id where the store keeps it, else a
/// layer that only a longer chain names.
public struct Tree: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var roots: [Node]

    public init(schema: Int = WireCoding.schema, time: String, exact: Bool, roots: [Node]) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.roots = roots
    }

    public struct Node: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Hashable, Sendable {
            case image, layer
        }

        public var kind: Kind
        public var engine: String
        public var id: String
        public var names: [String]
        /// Apparent bytes of this step alone.
        public var sizeBytes: Int64
        /// Apparent bytes of everything up to this step.
        public var virtualSizeBytes: Int64
        /// Allocated bytes of this step alone.
        public var diskBytes: Int64
        public var containers: Int
        public var children: [Node]

        public init(
            kind: Kind, engine: String, id: String, names: [String], sizeBytes: Int64,
            virtualSizeBytes: Int64,
            diskBytes: Int64, containers: Int, children: [Node]
        ) {
            self.kind = kind
            self.engine = engine
            self.id = id
            self.names = names
            self.sizeBytes = sizeBytes
            self.virtualSizeBytes = virtualSizeBytes
            self.diskBytes = diskBytes
            self.containers = containers
            self.children = children
        }
    }
}

/// `GET /v1/layers`.
public struct LayerList: Codable, Hashable, Sendable {
    public var schema: Int
    public var time: String
    public var exact: Bool
    public var layers: [Layer]

    public init(schema: Int = WireCoding.schema, time: String, exact: Bool, layers: [Layer]) {
        self.schema = schema
        self.time = time
        self.exact = exact
        self.layers = layers
    }
}

/// One directory of differences.
public struct Layer: Codable, Hashable, Sendable {
    public var engine: String
    public var id: String
    /// `image`, `container`, `init`, `build-cache`, `content` or `orphan`.
    public var kind: String
    @Nullable public var parent: String?
    public var directory: String
    public var diskBytes: Int64
    public var sizeBytes: Int64
    public var inodes: Int64
    /// What the engine recorded as its size, where it did.
    @Nullable public var declaredSizeBytes: Int64?
    /// Allocated bytes in its directory that belong to another layer, by hard links.
    public var sharedInodeBytes: Int64
    public var images: [String]
    public var containers: [String]
    public var state: SourceState
    @Nullable public var reason: String?

    public init(
        engine: String, id: String, kind: String, parent: String?, directory: String, diskBytes: Int64,
        sizeBytes: Int64, inodes: Int64, declaredSizeBytes: Int64?, sharedInodeBytes: Int64, images: [String],
        containers: [String], state: SourceState, reason: String? = nil
    ) {
        self.engine = engine
        self.id = id
        self.kind = kind
        self.parent = parent
        self.directory = directory
        self.diskBytes = diskBytes
        self.sizeBytes = sizeBytes
        self.inodes = inodes
        self.declaredSizeBytes = declaredSizeBytes
        self.sharedInodeBytes = sharedInodeBytes
        self.images = images
        self.containers = containers
        self.state = state
        self.reason = reason
    }
}
