/// Where containers-storage keeps what below its graph root, with one driver.
struct ContainersStoragePaths: Sendable {
    let root: String
    let driver: StorageDriver

    /// The directories of layers, by id.
    var data: String { driver == .vfs ? root + "/vfs/dir" : root + "/" + driver.rawValue }
    var layers: String { "\(root)/\(driver.rawValue)-layers" }
    var images: String { "\(root)/\(driver.rawValue)-images" }
    var containers: String { "\(root)/\(driver.rawValue)-containers" }
    var volumes: String { root + "/volumes" }

    /// The same directory as it is named below the root.
    func below(_ path: String) -> String {
        String(path.dropFirst(root.count + 1))
    }
}

/// The drivers of containers-storage.
enum StorageDriver: String, CaseIterable, Sendable {
    case overlay, vfs, btrfs, zfs, aufs, devicemapper

    static let readable: [StorageDriver] = [.overlay, .vfs]
}
