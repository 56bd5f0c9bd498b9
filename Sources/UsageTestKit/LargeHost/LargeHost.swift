public import Accounting
public import Kernel

/// A container host as large as asked for: a Docker store of the driver `overlay2`, made on the disk without an
/// engine and without running anything.
///
/// What is in it depends on the options alone. Images share their lower layers as those of a host do: a few bases,
/// runtimes built on them, and applications with several releases that share what they depend on. Containers are
/// stopped, most of them of few images; every second one has written a log, every tenth has a volume. The builder's
/// ``DockerStoreBuilder/facts`` are what a reader must find.
public struct LargeHost: Sendable {
    public struct Options: Hashable, Sendable {
        public var containers: Int
        /// Layers of images.
        ///
        /// Each container has two more of its own: the writable one, and the one below with the mount points that the
        /// engine prepares.
        public var imageLayers: Int
        /// Files and directories in each layer of an image, so that all hold `imageLayers * entriesPerLayer`.
        public var entriesPerLayer: Int
        /// Files and directories in the writable layer of each container.
        public var entriesPerContainer: Int
        /// Files in one directory, at most.
        public var filesPerDirectory: Int
        /// Where a file's size is drawn from, each as likely; `0...0` makes files that take no block.
        public var bytesPerFile: ClosedRange<Int>
        public var seed: UInt64

        public init(
            containers: Int = 1_000, imageLayers: Int = 10_000, entriesPerLayer: Int = 8,
            entriesPerContainer: Int = 8, filesPerDirectory: Int = 16,
            bytesPerFile: ClosedRange<Int> = 0...6_000, seed: UInt64 = 1
        ) {
            self.containers = containers
            self.imageLayers = imageLayers
            self.entriesPerLayer = entriesPerLayer
            self.entriesPerContainer = entriesPerContainer
            self.filesPerDirectory = filesPerDirectory
            self.bytesPerFile = bytesPerFile
            self.seed = seed
        }
    }

    public let options: Options
    /// The store, to go on with.
    public var store: DockerStoreBuilder
    /// The containers in the order in which they were made.
    public let containers: [ContainerFact]

    /// Where the containers' writes go, in the order of ``containers``.
    public var upperDirectories: [String] { containers.map(store.upperDirectory) }

    /// Makes the store in `root`, which is made where it does not exist and must hold none yet.
    ///
    /// 10,000 layers of images and 1,000 containers take 12 s of processor time, 10 of them in the kernel, and 1 GB of
    /// an ext4 for 245,760 inodes (`time demo-store host`, debug build; 24 s on a virtual machine with 2 busy CPUs). Two
    /// thirds of the inodes are what the engine itself keeps of each layer.
    public static func make(in root: String, _ options: Options = Options()) throws(KernelError) -> LargeHost
    {
        var store = try DockerStoreBuilder(root: root, seed: options.seed)
        var making = Making(options)
        try store.together { (store: inout DockerStoreBuilder) throws(KernelError) in
            try making.make(in: &store)
        }
        return LargeHost(options: options, store: store, containers: making.containers)
    }

    /// How much was made, in one line.
    public var summary: String {
        let facts = store.facts
        let own = facts.layers.count { $0.kind != .image }
        return """
            \(containers.count) containers, \(facts.images.count) images, \
            \(facts.layers.count - own) layers of images with \(options.imageLayers * options.entriesPerLayer) \
            files and directories, \(own) layers of containers, \(facts.volumes.count) volumes
            """
    }
}

extension LargeHost {
    /// The making of a host, with what it draws from.
    private struct Making {
        let options: Options
        private var generator: SeededGenerator
        private(set) var containers: [ContainerFact] = []

        init(_ options: Options) {
            self.options = options
            generator = SeededGenerator(seed: options.seed)
        }

        mutating func make(in store: inout DockerStoreBuilder) throws(KernelError) {
            var images: [ImageFact] = []
            for plan in ImagePlan.images(layers: options.imageLayers, using: &generator) {
                let base = plan.base.map { images[$0] }
                images.append(try makeImage(plan, on: base, in: &store))
            }
            // The bases came first.
            let named = Array(images.filter { !$0.names.isEmpty }.reversed())
            for index in 0..<options.containers {
                try makeContainer(index, of: named, in: &store)
            }
        }

        private mutating func makeImage(
            _ plan: ImagePlan, on base: ImageFact?, in store: inout DockerStoreBuilder
        ) throws(KernelError) -> ImageFact {
            let shared = base.map { Array($0.layers.prefix(plan.sharedLayers)) } ?? []
            var chain = shared
            // The steps up to the last layer that is shared.
            var history =
                base.map { base in
                    Array(base.history.prefix((base.history.lastIndex { $0.layer == shared.last } ?? -1) + 1))
                } ?? []
            for step in 0..<plan.ownLayers {
                let content = LayerContent.tree(
                    entries: options.entriesPerLayer, filesPerDirectory: options.filesPerDirectory,
                    bytesPerFile: options.bytesPerFile, using: &generator)
                let layer = try store.addLayer(content, on: chain.last)
                chain.append(layer.id)
                history.append(Self.step("RUN /bin/sh -c step \(step) of \(plan.name)", history, layer.id))
            }
            for instruction in ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "CMD [\"/usr/bin/run\"]"] {
                history.append(Self.step(instruction, history, nil))
            }
            return try store.addImage(names: plan.names, layers: chain, history: history)
        }

        private static func step(_ instruction: String, _ history: [HistoryStep], _ layer: String?)
            -> HistoryStep
        {
            let minute = history.count % 60
            return HistoryStep(
                instruction: instruction, created: "2026-03-02T10:\(minute < 10 ? "0" : "")\(minute):00Z",
                layer: layer)
        }

        private mutating func makeContainer(
            _ index: Int, of images: [ImageFact], in store: inout DockerStoreBuilder
        ) throws(KernelError) {
            var mounts: [MountFact] = []
            if index % 10 == 0 {
                let volume = try store.addVolume(named: "data-\(index)", holding: content())
                mounts = [
                    MountFact(
                        kind: .volume, name: volume.name, source: volume.source, destination: "/var/lib/data")
                ]
            }
            let image = images.isEmpty ? nil : images[popular(images.count)]
            let container = try store.addContainer(named: "container-\(index)", on: image, mounts: mounts)
            try content().write(below: store.upperDirectory(of: container))
            if index % 2 == 0, let log = container.logPath {
                try StoreFiles.fill(log, size: .random(in: 1...20_000, using: &generator), with: 0x6C)
            }
            containers.append(container)
        }

        private mutating func content() -> LayerContent {
            LayerContent.tree(
                entries: options.entriesPerContainer, filesPerDirectory: options.filesPerDirectory,
                bytesPerFile: options.bytesPerFile, using: &generator)
        }

        /// A number below `count`, the low ones far more often: of few images there are many containers.
        private mutating func popular(_ count: Int) -> Int {
            let unit = Double.random(in: 0..<1, using: &generator)
            return Int(Double(count) * unit * unit * unit)
        }
    }
}

extension LayerContent {
    /// A tree of exactly so many files and directories, the directories in each other as in a root file system.
    static func tree(
        entries: Int, filesPerDirectory: Int, bytesPerFile: ClosedRange<Int>,
        using generator: inout SeededGenerator
    ) -> LayerContent {
        let perDirectory = max(1, filesPerDirectory)
        // One entry alone is a file.
        let count = entries < 2 ? 0 : (entries + perDirectory) / (perDirectory + 1)
        let tops = ["usr", "var", "etc", "opt", "srv", "lib"]
        var directories: [String] = []
        for index in 0..<count {
            directories.append(
                index < tops.count
                    ? tops[index] : "\(directories[(index - tops.count) / 4])/directory-\(index)")
        }
        let files = (0..<max(0, entries - count)).map { index in
            File(
                (directories.isEmpty ? "" : directories[index % count] + "/") + "file-\(index)",
                size: .random(in: bytesPerFile, using: &generator))
        }
        return LayerContent(files: files, directories: directories)
    }
}
