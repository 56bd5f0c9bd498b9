import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

/// A temporary containerd root with a store in it, removed with its last reference.
final class ContainerdSandbox {
    let directory: String
    var store: ContainerdStoreBuilder

    init() throws {
        directory = NSTemporaryDirectory() + "usaged-containerd-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        store = try ContainerdStoreBuilder(root: directory + "/root", state: directory + "/state")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    static let base = ContainerdStoreBuilder.Layer(LayerContent(files: [.init("bin/sh", size: 70_001)]))
    static let site = ContainerdStoreBuilder.Layer(
        LayerContent(files: [.init("srv/index.html", size: 1234)]),
        whole: LayerContent(files: [.init("bin/sh", size: 70_001), .init("srv/index.html", size: 1234)]))

    /// Two images, one on the other, and a container that runs on the upper.
    static func small() throws -> (
        sandbox: ContainerdSandbox, base: ContainerdStoreBuilder.Image, web: ContainerdStoreBuilder.Image
    ) {
        let sandbox = try ContainerdSandbox()
        let base = try sandbox.store.addImage("base:1", [Self.base])
        let web = try sandbox.store.addImage("web:2", [], isUnpacked: false)
        sandbox.store.setImage("web:2", nil)
        for digest in [web.manifest, web.config] { try sandbox.store.removeBlob(digest) }
        let real = try sandbox.addUpper("web:2", on: base)
        try sandbox.store.addContainer(
            "job", image: "web:2", on: real.chains.last,
            content: LayerContent(files: [.init("tmp/scratch", size: 5000)]), labels: ["tier": "front"],
            mounts:
                #"[{"type":"proc","destination":"/proc"},{"type":"bind","source":"/etc/ssl","destination":"/ssl","options":["rbind"]}]"#,
            isRunning: true)
        try sandbox.store.commit()
        return (sandbox, base, real)
    }

    /// Adds an image of the base's layer, which is there, and one more.
    func addUpper(_ name: String, on base: ContainerdStoreBuilder.Image) throws
        -> ContainerdStoreBuilder.Image
    {
        let image = try store.addImage(name, [Self.base, Self.site], isUnpacked: false)
        try store.addSnapshot(
            image.chains[1], on: base.chains[0], content: Self.site.content, kind: .committed)
        return image
    }

    func reader(orphanSeconds: Double = 600, namespace: String? = nil) -> ContainerdReader {
        ContainerdReader(
            root: store.root, state: store.state, options: options(orphanSeconds), namespace: namespace)
    }

    func options(_ orphanSeconds: Double = 600) -> StoreOptions {
        StoreOptions(
            orphanSeconds: orphanSeconds, podLogs: directory + "/pod-logs", podVolumes: directory + "/pods")
    }

    func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func snapshots(_ snapshotter: String = "overlayfs") -> String {
        store.directory(of: snapshotter) + "/snapshots"
    }
}

extension String {
    /// A digest without its algorithm.
    var hex: String { split(separator: ":").last.map { String($0) } ?? self }
}
