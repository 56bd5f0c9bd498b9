import Accounting
import Kernel

/// Reads a root of containerd, and keeps what its files said.
///
/// The databases are read without a lock. An assembly is only made of a moment at which all of them stood still.
struct ContainerdSource: Sendable {
    enum Result {
        /// Images, containers and snapshots are in it; what they are to whoever uses the engine is not said yet.
        case assembly(ContainerdAssembly)
        case unreadable(MetadataFault, directories: [String], databases: [String])
    }

    /// How often all databases are read until none of them changed meanwhile.
    private static let attempts = 8

    let paths: ContainerdPaths
    let options: StoreOptions
    /// Images and containers of others are left out; `nil` takes all.
    let namespace: String?

    private var databases = ContainerdDatabaseCache()
    private var documents = ContentDocuments()
    private var specs = ContainerdAssembly.Specs()
    private var layerIDs = UniqueIDs()
    private var imageIDs = UniqueIDs()
    private var containerIDs = UniqueIDs()

    init(paths: ContainerdPaths, options: StoreOptions, namespace: String? = nil) {
        self.paths = paths
        self.options = options
        self.namespace = namespace
    }

    mutating func read() -> Result {
        var files: [String] = []
        var filesRead = 0
        for _ in 0..<Self.attempts {
            var notes = ReadingNotes()
            notes.directories = layoutDirectories()
            files = []
            do throws(MetadataFault) {
                let databases = try databases.read(paths, files: &files, &notes)
                let listing = ContainerdListing(paths, &notes)
                let pods = PodFiles(databases.metadata, paths, options, &notes)
                var after = ReadingNotes()
                var same: [String] = []
                let isStill = try self.databases.read(paths, files: &same, &after) == databases
                notes.filesRead += after.filesRead + filesRead
                filesRead = notes.filesRead
                guard isStill else { continue }
                notes.databases = files
                return .assembly(assemble(databases, listing, pods, notes))
            } catch {
                return .unreadable(error, directories: notes.directories, databases: files)
            }
        }
        let fault = MetadataFault(
            severity: .unreadable, path: paths.root,
            reason: "the engine changed its databases during each of \(Self.attempts) readings")
        return .unreadable(fault, directories: layoutDirectories(), databases: files)
    }

    private mutating func assemble(
        _ databases: ContainerdDatabases, _ listing: ContainerdListing, _ pods: PodFiles,
        _ notes: ReadingNotes
    ) -> ContainerdAssembly {
        var assembly = ContainerdAssembly(
            paths: paths, options: options, databases: databases, listing: listing, namespace: namespace,
            now: realtimeNanoseconds(), notes: notes)
        assembly.addSnapshots(&layerIDs)
        let expansions = assembly.expandImages(&documents)
        assembly.addContent(apartFrom: ContainerdAssembly.lowest(expansions))
        assembly.addImages(expansions, &imageIDs)
        assembly.addContainers(&containerIDs, &specs, pods)
        assembly.addFaults()
        return assembly
    }

    /// The fixed directories of the layout, or of each that is missing the nearest above it.
    private func layoutDirectories() -> [String] {
        ([paths.root, paths.metadata] + Snapshotter.allCases.map { paths.directory(of: $0.rawValue) })
            .map(AbsolutePath.nearestExisting)
    }
}
