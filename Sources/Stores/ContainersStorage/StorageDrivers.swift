import Kernel

/// The drivers that a graph root has directories of: an engine makes a set of them for each that it was told to use.
struct StorageDrivers {
    /// Those with layers.
    let withLayers: [StorageDriver]
    /// The one that the engine uses; where there are layers of several, the one that was written to last.
    let inUse: StorageDriver?

    init(root: String) {
        var present: [StorageDriver] = []
        var written: [(driver: StorageDriver, time: Int64)] = []
        for driver in StorageDriver.allCases {
            let path = ContainersStoragePaths(root: root, driver: driver).layers
            guard let directory = try? MetadataDirectory(path: path) else { continue }
            present.append(driver)
            // An empty list is `[]` or `null`.
            let lists = ["layers.json", "volatile-layers.json"].compactMap(directory.status)
            guard lists.contains(where: { $0.size > 4 }) else { continue }
            // The engine writes to the lock's file with each change.
            let lock = directory.status(of: "layers.lock")
            written.append((driver, (lists + (lock.map { [$0] } ?? [])).map(\.modified).max() ?? 0))
        }
        withLayers = written.map(\.driver)
        inUse = written.max { $0.time < $1.time }?.driver ?? present.first
    }
}
