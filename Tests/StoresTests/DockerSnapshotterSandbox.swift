import Accounting
import Foundation
import Stores
import UsageTestKit

/// A temporary Docker store with its images in containerd, removed with its last reference.
final class DockerSnapshotterSandbox {
    /// Whose containerd it is.
    enum Owner: CaseIterable {
        case engine, host
    }

    let directory: String
    let owner: Owner
    var store: DockerSnapshotterBuilder

    init(_ owner: Owner = .engine, root: String = "docker", snapshotter: String = "overlayfs") throws {
        self.owner = owner
        directory = NSTemporaryDirectory() + "usaged-snapshotter-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        store = try DockerSnapshotterBuilder(
            root: "\(directory)/\(root)", containerd: owner == .host ? directory + "/containerd" : nil,
            snapshotter: snapshotter, seed: 3)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Two images, one on the other, a volume, and a container that runs on the upper image.
    static func small(
        _ owner: Owner = .engine, snapshotter: String = "overlayfs"
    ) throws -> (
        sandbox: DockerSnapshotterSandbox, base: ContainerdStoreBuilder.Image,
        web: ContainerdStoreBuilder.Image, container: ContainerFact
    ) {
        let sandbox = try DockerSnapshotterSandbox(owner, snapshotter: snapshotter)
        let layers = [ContainerdSandbox.base, ContainerdSandbox.site]
        let base = try sandbox.store.addImage("docker.io/library/base:1", [layers[0]])
        let web = try sandbox.addUpper("docker.io/team/web:2", on: base)
        let volume = try sandbox.store.docker.addVolume(
            named: "data", holding: LayerContent(files: [.init("rows", size: 9000)]))
        let content = LayerContent(files: [.init("tmp/scratch", size: 5000)])
        let container = try sandbox.store.addContainer(
            named: "web-1", on: web, imageName: "team/web:2",
            content: snapshotter == "native" ? layers[1].whole : content, labels: ["tier": "front"],
            mounts: [MountFact(kind: .volume, name: "data", source: volume.source, destination: "/data")],
            isRunning: true)
        return (sandbox, base, web, container)
    }

    /// Adds an image of the base's layer, which is there, and one more.
    func addUpper(
        _ name: String, on base: ContainerdStoreBuilder.Image,
        _ layer: ContainerdStoreBuilder.Layer = ContainerdSandbox.site
    ) throws -> ContainerdStoreBuilder.Image {
        let image = try store.containerd.addImage(
            name, [ContainerdSandbox.base, layer], namespace: store.namespace,
            snapshotter: store.snapshotter, isUnpacked: false)
        try store.containerd.addSnapshot(
            image.chains[1], on: base.chains[0],
            content: store.snapshotter == "native" ? layer.whole : layer.content, kind: .committed,
            namespace: store.namespace, snapshotter: store.snapshotter)
        try store.containerd.commit()
        return image
    }

    var location: StoreLocation { StoreLocation(kind: .docker, path: store.root) }

    /// The host's containerd is where the store has it, or nowhere.
    var detection: ContainerdDetection {
        ContainerdDetection(
            configuration: directory + "/config.toml",
            places: [.init(root: directory + "/containerd", state: directory + "/state")])
    }

    func reader(graceSeconds: Double = 3600, orphanSeconds: Double = 3600) -> any StoreReader {
        Stores.open(
            location,
            options: StoreOptions(
                graceSeconds: graceSeconds, orphanSeconds: orphanSeconds, podLogs: directory + "/pod-logs",
                podVolumes: directory + "/pods", containerd: detection))
    }

    func facts(graceSeconds: Double = 3600, orphanSeconds: Double = 3600) -> StoreFacts {
        reader(graceSeconds: graceSeconds, orphanSeconds: orphanSeconds).read().facts
    }

    func snapshots(_ number: UInt64) -> String {
        "\(store.containerd.directory(of: store.snapshotter))/snapshots/\(number)"
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
    }
}
