import Accounting

/// A snapshotter whose snapshots are directories of one file system.
enum Snapshotter: String, CaseIterable, Sendable {
    case overlayfs, native

    /// What a snapshot's directory is called, below the directory of its number.
    var differences: String? { self == .overlayfs ? "fs" : nil }
}

/// Where containerd keeps what below its root and its state.
struct ContainerdPaths: Hashable, Sendable {
    let root: String
    let state: String

    static let snapshotterPrefix = "io.containerd.snapshotter.v1."
    static let runtimes = ["io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"]

    var metadata: String { root + "/io.containerd.metadata.v1.bolt" }
    var content: String { root + "/io.containerd.content.v1.content" }
    var blobs: String { content + "/blobs" }
    var ingests: String { content + "/ingest" }
    var podContainers: String { root + "/io.containerd.grpc.v1.cri/containers" }

    /// Of a snapshotter's name, as `meta.db` has it.
    func directory(of snapshotter: String) -> String { "\(root)/\(Self.snapshotterPrefix)\(snapshotter)" }

    func snapshots(_ snapshotter: Snapshotter) -> String {
        directory(of: snapshotter.rawValue) + "/snapshots"
    }

    /// The layer of the snapshot whose directory has this name.
    func layer(_ snapshotter: Snapshotter, _ name: String) -> String {
        "\(snapshots(snapshotter))/\(name)" + (snapshotter.differences.map { "/" + $0 } ?? "")
    }

    /// The group of the overhead that goes with a snapshot; one whose layer is the whole directory has none.
    func group(_ snapshotter: Snapshotter, _ name: String) -> [String] {
        snapshotter.differences == nil
            ? [] : ["\(Self.snapshotterPrefix)\(snapshotter.rawValue)/snapshots/\(name)"]
    }

    /// Where containerd has runtimes mount the root file systems of a namespace's containers.
    func tasks(of namespace: String) -> [String] {
        Self.runtimes.map { "\(state)/\($0)/\(namespace)" }
    }

    func rootFileSystem(of container: String, in namespace: String) -> String {
        "\(state)/\(Self.runtimes[0])/\(namespace)/\(container)/rootfs"
    }
}
