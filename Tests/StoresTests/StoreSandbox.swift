import Accounting
import Foundation
import Stores
import UsageTestKit

/// A temporary directory with a store in it, removed with its last reference.
final class StoreSandbox {
    let root: String
    var store: DockerStoreBuilder

    init(seed: UInt64 = 7, driver: String = "overlay2") throws {
        root = NSTemporaryDirectory() + "usaged-stores-\(UUID().uuidString)"
        store = try DockerStoreBuilder(root: root, seed: seed, driver: driver)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }

    /// A store of two images, one on the other, and a container on the upper.
    static func small(driver: String = "overlay2") throws -> StoreSandbox {
        let sandbox = try StoreSandbox(driver: driver)
        let base = try sandbox.store.build(
            [
                BuildStep("ADD rootfs", content: LayerContent(files: [.init("bin/sh", size: 70_001)])),
                BuildStep("CMD sh"),
            ], names: ["base:1", "base:latest"])
        let web = try sandbox.store.build(
            [
                BuildStep("COPY site", content: LayerContent(files: [.init("srv/index.html", size: 1234)])),
                BuildStep("EXPOSE 80"),
                BuildStep(
                    "RUN install", content: LayerContent(files: [.init("usr/bin/web", size: 9999)]),
                    comment: "by hand"),
            ], on: base.last, names: ["registry:5000/team/web:2"])
        try sandbox.store.addContainer(
            named: "web-1", on: web.last, labels: ["tier": "front"],
            mounts: [
                MountFact(kind: .volume, name: "data", source: "/v/data/_data", destination: "/data"),
                MountFact(kind: .bind, source: "/etc/ssl", destination: "/ssl"),
            ], isRunning: true)
        return sandbox
    }

    var metadata: String { store.metadata }

    func reader(graceSeconds: Double = 3600, orphanSeconds: Double = 3600) -> DockerReader {
        DockerReader(
            root: root, options: StoreOptions(graceSeconds: graceSeconds, orphanSeconds: orphanSeconds))
    }

    func image(_ name: String) throws -> ImageFact {
        guard let image = store.image(name) else { throw SandboxError("no image \(name)") }
        return image
    }

    func container() throws -> ContainerFact {
        guard let container = store.containers.values.first else { throw SandboxError("no container") }
        return container
    }

    func topLayer(of name: String) throws -> LayerFact {
        guard let id = try image(name).layers.last, let layer = store.layers[id] else {
            throw SandboxError("no layer of \(name)")
        }
        return layer
    }

    /// Writes in place, as a crash or a careless hand does.
    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
    }

    func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func truncate(_ path: String, to size: Int) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        try data.prefix(size).write(to: URL(fileURLWithPath: path))
    }
}

struct SandboxError: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

extension StoreFacts {
    /// The facts with every list in the order of ids, to compare with a builder's; without the overhead, which
    /// ``StoreConformance`` checks.
    var inOrder: StoreFacts {
        StoreFacts(
            store: store, layers: layers.sorted { $0.id < $1.id }, images: images.sorted { $0.id < $1.id },
            containers: containers.sorted { $0.id < $1.id }, volumes: volumes.sorted { $0.name < $1.name },
            trees: trees.sorted { $0.id < $1.id }, problems: problems)
    }
}
