import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

/// A Docker store made without an engine: `web:2` on `base:1`, `tool:1` apart from both, and a container on each.
struct StoreWorld {
    /// What a question must be answered with.
    struct Figures: Hashable {
        var disk: Int64
        var size: Int64
    }

    let scratch: ScratchDirectory
    var store: DockerStoreBuilder

    var root: String { store.root }

    init(_ scratch: ScratchDirectory) throws {
        self.scratch = scratch
        store = try DockerStoreBuilder(root: scratch("docker"), seed: 11)
        let base = try store.build(
            [
                BuildStep("ADD rootfs", content: LayerContent(files: [.init("bin/sh", size: 70_001)])),
                BuildStep("CMD sh"),
            ], names: ["base:1"])
        let web = try store.build(
            [
                BuildStep("COPY site", content: LayerContent(files: [.init("srv/index.html", size: 1234)])),
                BuildStep(
                    "RUN install", content: LayerContent(files: [.init("usr/bin/web", size: 90_210)])),
            ], on: base.last, names: ["web:2"])
        let tool = try store.build(
            [
                BuildStep("ADD tool", content: LayerContent(files: [.init("tool", size: 43_210)])),
                BuildStep("RUN more", content: LayerContent(files: [.init("more", size: 8765)])),
            ], names: ["tool:1"])
        for (name, image) in [("base-1", base), ("web-1", web), ("tool-1", tool)] {
            let container = try store.addContainer(named: name, on: image.last)
            try write(name.utf8.count * 10_000, to: "data", in: container)
        }
    }

    func image(_ name: String) throws -> ImageFact { try #require(store.image(name)) }

    func container(_ name: String) throws -> ContainerFact {
        try #require(store.containers.values.first { $0.name == name })
    }

    /// Writes so many bytes of a letter to a file of the container.
    func write(_ bytes: Int, to file: String, in container: ContainerFact) throws {
        let url = URL(fileURLWithPath: "\(store.upperDirectory(of: container))/\(file)")
        try Data(repeating: 0x61, count: bytes).write(to: url)
    }

    /// The virtual figures of each image by id: sizes as they were built, blocks as a walk over its layers finds.
    func imageFigures() async throws -> [String: Figures] {
        var result: [String: Figures] = [:]
        for image in store.images.values {
            var figures = Figures(disk: 0, size: 0)
            for id in image.layers {
                let layer = try #require(store.layers[id])
                figures.size += layer.declaredSizeBytes ?? 0
                figures.disk += try await FullWalk.measure(layer.directory).diskBytes
            }
            result[image.id] = figures
        }
        return result
    }

    /// The figures of each container's writable layer by id, by a walk.
    func containerFigures() async throws -> [String: Figures] {
        var result: [String: Figures] = [:]
        for container in store.containers.values {
            let walk = try await FullWalk.measure(store.upperDirectory(of: container))
            result[container.id] = Figures(disk: walk.diskBytes, size: walk.sizeBytes)
        }
        return result
    }
}

extension Status {
    var imageFigures: [String: StoreWorld.Figures] {
        Dictionary(
            images.map {
                ($0.id, StoreWorld.Figures(disk: $0.diskBytes, size: $0.virtualSizeBytes))
            }, uniquingKeysWith: { first, _ in first })
    }

    var containerFigures: [String: StoreWorld.Figures] {
        Dictionary(
            containers.map { ($0.id, StoreWorld.Figures(disk: $0.diskBytes, size: $0.sizeBytes)) },
            uniquingKeysWith: { first, _ in first })
    }
}

/// A test's failure with what the daemon said.
struct DaemonFailure: Error, CustomStringConvertible {
    let description: String
}

/// Lets few daemons run at once: each test has its own, and the machine may be small.
private actor Gate {
    static let shared = Gate()

    private var free = 4
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        guard waiting.isEmpty else {
            waiting.removeFirst().resume()
            return
        }
        free += 1
    }
}

/// Runs a test in a directory of its own, which is removed afterwards.
func withScratch(_ body: (ScratchDirectory) async throws -> Void) async throws {
    await Gate.shared.enter()
    do {
        try await ScratchDirectory.with("dt", body)
    } catch {
        await Gate.shared.leave()
        throw error
    }
    await Gate.shared.leave()
}

/// Runs a test on a Docker store of its own.
func withStore(_ body: (inout StoreWorld) async throws -> Void) async throws {
    try await withScratch { scratch in
        var world = try StoreWorld(scratch)
        try await body(&world)
    }
}

/// Runs a test with a daemon of its own, which is ended afterwards.
func withDaemon(
    _ stores: [String], configuration: String = "", environment: [String: String] = [:],
    launcher: [String] = [], _ body: (UsagedProcess) async throws -> Void
) async throws {
    let daemon = try await UsagedProcess.start(
        stores: stores, configuration: configuration, environment: environment, launcher: launcher)
    do {
        try await body(daemon)
    } catch {
        let said = daemon.log
        try? await daemon.remove()
        throw DaemonFailure(description: "\(error)\nusaged said:\n\(said.suffix(3000))")
    }
    try await daemon.remove()
}
