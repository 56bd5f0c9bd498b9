import Accounting

/// Where Docker keeps what below its data root, with the `overlay2` driver.
///
/// Layout: `daemon/internal/layer/filestore.go`, `daemon/internal/image/fs.go` and
/// `daemon/graphdriver/overlay2` of moby/moby.
struct DockerPaths: Sendable {
    let root: String

    var drivers: String { root + "/image" }
    var metadata: String { root + "/image/overlay2" }
    var imageConfigs: String { metadata + "/imagedb/content/sha256" }
    var imageMetadata: String { metadata + "/imagedb/metadata/sha256" }
    var layers: String { metadata + "/layerdb/sha256" }
    var mounts: String { metadata + "/layerdb/mounts" }
    var containers: String { root + "/containers" }
    var data: String { root + "/overlay2" }
    var volumes: String { root + "/volumes" }

    /// The directory of differences of the driver's directory `id`.
    func differences(_ id: String) -> String { "\(data)/\(id)/diff" }

    /// Where the driver mounts its directory `id` while a container uses it.
    func mount(_ id: String) -> OverlayMount {
        OverlayMount(merged: "\(data)/\(id)/merged", work: "\(data)/\(id)/work")
    }
}
