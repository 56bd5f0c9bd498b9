import Accounting
import Kernel

/// Where Docker keeps what below its data root.
///
/// Layout: `daemon/internal/layer/filestore.go`, `daemon/internal/image/fs.go` and `daemon/graphdriver` of
/// moby/moby.
struct DockerPaths: Sendable {
    let root: String
    let driver: DockerDriver

    init(root: String, driver: DockerDriver = .overlay2) {
        self.root = root
        self.driver = driver
    }

    var drivers: String { root + "/image" }
    var metadata: String { root + "/image/" + driver.rawValue }
    var imageConfigs: String { metadata + "/imagedb/content/sha256" }
    var imageMetadata: String { metadata + "/imagedb/metadata/sha256" }
    var layers: String { metadata + "/layerdb/sha256" }
    var mounts: String { metadata + "/layerdb/mounts" }
    /// Layers that are being registered.
    var transactions: String { metadata + "/layerdb/tmp" }
    var containers: String { root + "/containers" }
    var data: String { root + "/" + driver.directory }
    var volumes: String { root + "/volumes" }
    var downloads: String { root + "/tmp" }
    var buildKit: String { root + "/buildkit" }
    /// Where an engine with the images in containerd mounts what containers run on, by snapshotter.
    var rootFileSystems: String { root + "/rootfs" }

    /// Whether the data root of an engine that maps user ids is called so: `UID.GID`.
    static func isMappedRoot(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// The names of the stores that an engine which maps user ids keeps below a data root, each with a root of its own.
    static func mappedRoots(below root: String) throws(MetadataFault) -> [String] {
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: root)
        } catch {
            guard error.severity != .unreadable else { throw error }
            return []
        }
        return directory.names { isMappedRoot(String(decoding: $0.bytes, as: UTF8.self)) }.names
            .map(\.escaped).filter { DockerDriverChoice.hasBegun("\(root)/\($0)") }
    }

    /// What below the root is other stores'.
    var otherStores: [PathPattern] {
        ((try? Self.mappedRoots(below: root)) ?? []).map { PathPattern(exactly: $0) }
    }

    /// The directory of differences of the driver's directory `id`.
    func differences(_ id: String) -> String { driver.isOverlay ? "\(data)/\(id)/diff" : "\(data)/\(id)" }

    /// Where the driver mounts its directory `id` while a container uses it.
    func mount(_ id: String) -> OverlayMount? {
        driver.isOverlay ? OverlayMount(merged: "\(data)/\(id)/merged", work: "\(data)/\(id)/work") : nil
    }
}

extension DockerPaths {
    /// What goes with a layer of the driver, as groups of the overhead.
    func groups(ofDirectory id: String, links: [String]) -> [String] {
        switch driver {
        case .overlay2, .fuseOverlayfs:
            ["\(driver.directory)/\(id)"] + links.map { "\(driver.directory)/l/\($0)" }
        case .btrfs: ["btrfs/quotas/\(id)"]
        case .vfs: []
        }
    }

    func group(ofLayer id: String) -> String { "image/\(driver.rawValue)/layerdb/sha256/\(id)" }
    func group(ofMount name: String) -> String { "image/\(driver.rawValue)/layerdb/mounts/\(name)" }

    func groups(ofImage id: String) -> [String] {
        ["content", "metadata"].map { "image/\(driver.rawValue)/imagedb/\($0)/sha256/\(id)" }
    }

    /// All groups; of two that hold a path the longer one is meant.
    var groups: [PathPattern] {
        var names = ["content", "metadata"].map { "image/\(driver.rawValue)/imagedb/\($0)/sha256/*" }
        names += ["image/\(driver.rawValue)/layerdb/sha256/*", "image/\(driver.rawValue)/layerdb/mounts/*"]
        names += ["containers/*", "volumes/*"]
        switch driver {
        case .overlay2, .fuseOverlayfs: names += ["\(driver.directory)/*", "\(driver.directory)/l/*"]
        case .btrfs: names.append("btrfs/quotas/*")
        case .vfs: break
        }
        return names.map { PathPattern(stringLiteral: $0) }
    }
}
