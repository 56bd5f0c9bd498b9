import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Stores

/// A temporary directory with a store of containers-storage in it, removed with its last reference.
final class ContainersStorageSandbox {
    let root = NSTemporaryDirectory() + "usaged-cs-\(UUID().uuidString)"
    var store: ContainersStorageBuilder

    init(driver: String = "overlay", seed: UInt64 = 7) throws {
        store = try ContainersStorageBuilder(root: root, driver: driver, seed: seed)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }

    /// A store of two images, one on the other, a container on each, one of which may be lost, and two volumes.
    static func small(driver: String = "overlay") throws -> ContainersStorageSandbox {
        let sandbox = try ContainersStorageSandbox(driver: driver)
        let base = try sandbox.store.addImage(
            [
                BuildStep("ADD rootfs", content: LayerContent(files: [.init("bin/sh", size: 70_001)])),
                BuildStep("CMD sh"),
            ], names: ["localhost/base:1", "localhost/base:latest"])
        let web = try sandbox.store.addImage(
            [
                BuildStep("COPY site", content: LayerContent(files: [.init("srv/index.html", size: 1234)])),
                BuildStep("EXPOSE 80"),
                BuildStep("RUN install", content: LayerContent(files: [.init("usr/bin/web", size: 9999)])),
            ], on: base, names: ["registry:5000/team/web:2"])
        let data = try sandbox.store.addVolume("data", LayerContent(files: [.init("db", size: 50_000)]))
        try sandbox.store.addVolume(sandbox.store.newID())
        try sandbox.store.addContainer(
            named: "web-1", on: web, content: LayerContent(files: [.init("tmp/x", size: 77)]),
            mounts: [data, MountFact(kind: .bind, source: "/etc/ssl", destination: "/ssl")], logBytes: 20_000)
        try sandbox.store.addContainer(named: "job", on: base, isVolatile: true)
        return sandbox
    }

    var lists: [String] {
        ["layers", "volatile-layers", "images", "containers", "volatile-containers"].map(store.list)
    }

    func reader(
        orphanSeconds: Double = 600, podLogs: String = "/var/log/pods", others: [String] = [],
        runRoots: [String] = []
    ) -> ContainersStorageReader {
        ContainersStorageReader(
            root: root, options: StoreOptions(orphanSeconds: orphanSeconds, podLogs: podLogs),
            surroundings: ContainersStorageSurroundings(runRoots: runRoots, otherStores: others))
    }

    func container(_ name: String) throws -> ContainerFact {
        try #require(store.containers.values.first { $0.name == name })
    }

    func image(_ name: String) throws -> ImageFact {
        try #require(store.images.values.first { $0.names.contains(name) })
    }

    /// Puts a new file in the place, as an engine does.
    func replace(_ path: String, with text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }
}

extension StoreFacts {
    /// The facts with every list in the order of ids and without the overhead, to compare with a builder's.
    var sorted: StoreFacts {
        StoreFacts(
            store: store, layers: layers.sorted { $0.id < $1.id }, images: images.sorted { $0.id < $1.id },
            containers: containers.sorted { $0.id < $1.id }, volumes: volumes.sorted { $0.name < $1.name },
            trees: trees.sorted { $0.id < $1.id }, problems: problems)
    }
}
