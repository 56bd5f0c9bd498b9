public import Accounting
internal import Foundation
internal import Kernel

/// Makes the store of a Docker engine that keeps its images in containerd, in the order of the engine: what is in
/// containerd first, then what the engine itself keeps.
///
/// The containerd is the engine's own, below the data root, or one of the host's.
public struct DockerSnapshotterBuilder {
    public var docker: DockerStoreBuilder
    public var containerd: ContainerdStoreBuilder
    public let snapshotter: String
    public let namespace: String

    /// Makes the empty store; `containerd` is the root of the host's, if it is that one.
    public init(
        root: String, containerd: String? = nil, snapshotter: String = "overlayfs",
        namespace: String = "moby", seed: UInt64 = 1
    ) throws {
        self.snapshotter = snapshotter
        self.namespace = namespace
        docker = try DockerStoreBuilder(root: root, seed: seed, snapshotter: snapshotter)
        self.containerd = try ContainerdStoreBuilder(
            root: containerd ?? docker.root + "/containerd/daemon", state: root + "-state")
        let cache = "\(docker.root)/buildkit/containerd-\(snapshotter)"
        try StoreFiles.write(BoltFileBuilder().bytes, to: cache + "/metadata_v2.db")
        for name in ["cache.db", "history_c8d.db"] {
            try StoreFiles.write(BoltFileBuilder().bytes, to: "\(docker.root)/buildkit/\(name)")
        }
        try StoreFiles.write(BoltFileBuilder().bytes, to: docker.root + "/image/identity-cache.db")
    }

    public var root: String { docker.root }

    /// Pulls an image, by the full name that containerd has it by.
    @discardableResult
    public mutating func addImage(
        _ name: String, _ layers: [ContainerdStoreBuilder.Layer]
    ) throws -> ContainerdStoreBuilder.Image {
        let image = try containerd.addImage(name, layers, namespace: namespace, snapshotter: snapshotter)
        try containerd.commit()
        return image
    }

    /// Creates a container: its layer `ID-init`, its own, and then its directory.
    @discardableResult
    public mutating func addContainer(
        named name: String, on image: ContainerdStoreBuilder.Image?, imageName: String? = nil,
        content: LayerContent = LayerContent(), labels: [String: String] = [:], mounts: [MountFact] = [],
        isRunning: Bool = false
    ) throws -> ContainerFact {
        let id = docker.newID()
        let initial = try containerd.addSnapshot(
            id + "-init", on: image?.chains.last, kind: .committed, namespace: namespace,
            snapshotter: snapshotter)
        try docker.writeInitialContent(below: differences(initial))
        let number = try containerd.addSnapshot(
            id, on: id + "-init", content: content, namespace: namespace, snapshotter: snapshotter)
        containerd.change(
            ["v1", namespace, "leases", id, "snapshots", snapshotter, id], to: .value([]))
        try containerd.commit()
        let container = ContainerFact(
            id: id, name: name, imageID: image.map { String($0.target.dropFirst("sha256:".count)) } ?? "",
            imageName: imageName, labels: labels, layer: id, initLayer: id + "-init",
            chain: image?.chains.map { String($0.dropFirst("sha256:".count)) } ?? [],
            logPath: "\(root)/containers/\(id)/\(id)-json.log",
            mounts: mounts.sorted { $0.destination < $1.destination }, created: "2026-02-20T12:00:00.25Z",
            isRunning: isRunning, trees: ["log:\(id)"], metadata: ["containers/\(id)"])
        try docker.makeDirectory(of: container)
        numbers[id] = [initial, number]
        if isRunning { try StoreFiles.makeDirectory("\(root)/rootfs/\(snapshotter)/\(id)") }
        return container
    }

    /// Removes a container's lease, with which containerd collects its layers, and then its directory.
    public mutating func removeContainer(_ id: String, leavingDirectory: Bool = false) throws {
        for (name, number) in zip([id + "-init", id], numbers.removeValue(forKey: id) ?? []) {
            try containerd.removeSnapshot(
                name, number: number, namespace: namespace, snapshotter: snapshotter)
        }
        containerd.change(["v1", namespace, "leases", id], to: nil)
        try containerd.commit()
        if !leavingDirectory { try StoreFiles.remove("\(root)/containers/\(id)") }
    }

    /// The numbers of each container's snapshots.
    private var numbers: [String: [UInt64]] = [:]

    /// Where a snapshot's files are.
    public func differences(_ number: UInt64) -> String {
        "\(containerd.directory(of: snapshotter))/snapshots/\(number)"
            + (snapshotter == "overlayfs" ? "/fs" : "")
    }
}
