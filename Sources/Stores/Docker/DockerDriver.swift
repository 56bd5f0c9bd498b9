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
    /// A driver that there is no reader for.
    case other(String)
    /// No engine has started here yet, or none that keeps its images in a graph driver.
    case none

    /// The one in `image/` whose metadata changed last: one that the engine used before leaves its own behind.
    static func find(_ root: String) throws(MetadataFault) -> DockerDriverChoice {
        let names: [String]
        do throws(MetadataFault) {
            let image = try MetadataDirectory(path: root + "/image")
            names = image.names { !$0.bytes.starts(with: [0x2E]) && image.missingDirectory($0) == nil }
                .names.map(\.escaped)
        } catch {
            // What is there cannot be told for want of a descriptor or memory: that is not nothing.
            guard error.severity != .unreadable else { throw error }
            return .none
        }
        guard names.count > 1 else { return names.first.map(choice) ?? .none }
        let order = DockerDriver.allCases.map(\.rawValue)
        let newest = names.max { left, right in
            let (one, other) = (lastChange(root, left), lastChange(root, right))
            guard one == other else { return one < other }
            return (order.firstIndex(of: left) ?? order.count, left)
                > (order.firstIndex(of: right) ?? order.count, right)
        }
        return newest.map(choice) ?? .none
    }

    private static func choice(_ name: String) -> DockerDriverChoice {
        DockerDriver(rawValue: name).map { .readable($0) } ?? .other(name)
    }

    private static func lastChange(_ root: String, _ driver: String) -> Int64 {
        ["", "/layerdb/sha256", "/layerdb/mounts", "/imagedb/content/sha256"].compactMap { path in
            try? MetadataDirectory(path: "\(root)/image/\(driver)\(path)").changed
        }.max() ?? 0
    }
}
