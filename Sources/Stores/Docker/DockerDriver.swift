import Accounting
import Kernel

/// A storage driver of Docker's engine whose store can be read.
enum DockerDriver: String, CaseIterable, Sendable {
    case overlay2
    case fuseOverlayfs = "fuse-overlayfs"
    case btrfs
    case vfs

    /// Whether each layer has a directory of overlayfs's: `diff`, `work`, and links to the layers below.
    var isOverlay: Bool { self == .overlay2 || self == .fuseOverlayfs }

    /// Where the driver keeps a directory for each layer, below the data root.
    var directory: String {
        switch self {
        case .overlay2, .fuseOverlayfs: rawValue
        case .btrfs: "btrfs/subvolumes"
        case .vfs: "vfs/dir"
        }
    }

    /// What else than layers is in ``directory``.
    var reservedName: String? { isOverlay ? "l" : nil }
}

/// Which driver an engine uses on a data root.
enum DockerDriverChoice: Hashable, Sendable {
    case readable(DockerDriver)
    /// A snapshotter of containerd, in which the engine keeps its images.
    case snapshotter(Snapshotter)
    /// A driver, or a snapshotter, that there is no reader for.
    case other(String)
    /// No engine has started here yet.
    case none

    /// The one whose metadata changed last: one that the engine used before leaves its own behind.
    static func find(_ root: String) throws(MetadataFault) -> DockerDriverChoice {
        let drivers = try directories(in: root + "/image")
        let snapshotters = try snapshotters(root)
        let order = DockerDriver.allCases.map(\.rawValue)
        let known = drivers.sorted {
            (order.firstIndex(of: $0) ?? order.count, $0) < (order.firstIndex(of: $1) ?? order.count, $1)
        }
        let choices = known.map(choice) + snapshotters.map(snapshotterChoice)
        guard choices.count > 1 else { return choices.first ?? .none }
        var newest: (choice: DockerDriverChoice, change: Int64)?
        for (choice, change) in zip(
            choices,
            known.map { lastChange(root, ofDriver: $0) }
                + snapshotters.map { lastChange(root, ofSnapshotter: $0) })
        where newest.map({ change > $0.change }) ?? true { newest = (choice, change) }
        return newest?.choice ?? .none
    }

    /// Whether an engine has begun to work in a data root.
    static func hasBegun(_ root: String) -> Bool {
        AbsolutePath.isDirectory(root + "/image") || (try? snapshotters(root))?.isEmpty == false
    }

    /// What `docker info` calls the driver.
    private var name: String {
        switch self {
        case .readable(let driver): driver.rawValue
        case .snapshotter(let snapshotter): snapshotter.rawValue
        case .other(let name): name
        case .none: ""
        }
    }

    /// Why a reader that was made for another choice cannot read what the engine uses now; `nil` where it can.
    func fault(forReaderOf made: DockerDriverChoice) -> String? {
        switch self {
        case made, .none: return nil
        case .other(let name):
            let drivers = DockerDriver.allCases.map(\.rawValue).joined(separator: ", ")
            let snapshotters = Snapshotter.allCases.map(\.rawValue).joined(separator: " and ")
            return
                "the engine uses the storage driver \(ObjectID.quoted(name)); only \(drivers) can be read, and "
                + "\(snapshotters) of containerd"
        case .readable, .snapshotter:
            return
                "the engine uses the storage driver '\(name)' now, no longer '\(made.name)': "
                + "the store must be opened anew"
        }
    }

    private static func choice(_ name: String) -> DockerDriverChoice {
        DockerDriver(rawValue: name).map { .readable($0) } ?? .other(name)
    }

    private static func snapshotterChoice(_ name: String) -> DockerDriverChoice {
        Snapshotter(rawValue: name).map { .snapshotter($0) } ?? .other(name + " of containerd")
    }

    /// The snapshotters that the engine used here: BuildKit has a directory for each, made at the engine's start, and
    /// so have the mounts of containers.
    private static func snapshotters(_ root: String) throws(MetadataFault) -> [String] {
        let caches = try directories(in: root + "/buildkit").filter { $0.hasPrefix(cachePrefix) }
        let names = caches.map { String($0.dropFirst(cachePrefix.count)) }
        return (names + (try directories(in: root + "/rootfs"))).filter { !$0.isEmpty }.uniqued().sorted()
    }

    private static let cachePrefix = "containerd-"

    private static func directories(in path: String) throws(MetadataFault) -> [String] {
        do throws(MetadataFault) {
            let directory = try MetadataDirectory(path: path)
            return directory.names { !$0.bytes.starts(with: [0x2E]) && directory.missingDirectory($0) == nil }
                .names.map(\.escaped)
        } catch {
            // What is there cannot be told for want of a descriptor or memory: that is not nothing.
            guard error.severity != .unreadable else { throw error }
            return []
        }
    }

    /// Each start of the engine makes and removes something in the driver's directory.
    private static func lastChange(_ root: String, ofDriver driver: String) -> Int64 {
        let metadata = ["", "/layerdb/sha256", "/layerdb/mounts", "/imagedb/content/sha256"].map {
            "image/\(driver)\($0)"
        }
        let data = DockerDriver(rawValue: driver)?.directory ?? driver
        return newest(root, metadata + [data, "buildkit/history.db"])
    }

    private static func lastChange(_ root: String, ofSnapshotter name: String) -> Int64 {
        newest(
            root,
            [
                "rootfs/\(name)", "buildkit/\(cachePrefix)\(name)",
                "buildkit/\(cachePrefix)\(name)/metadata_v2.db", "buildkit/history_c8d.db",
                "image/identity-cache.db",
            ])
    }

    private static func newest(_ root: String, _ paths: [String]) -> Int64 {
        paths.compactMap { try? FileStatus.of(path: "\(root)/\($0)").changed }.max() ?? 0
    }
}
