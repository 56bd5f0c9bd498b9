import Accounting
import Foundation
import Kernel
import Stores
import Synchronization
import Testing
import UsageTestKit

@testable import Tracking

extension EngineTests {
    /// What `usaged` does on Linux 4.19 to 6.4: the upper directories' watches are asked for no data here, as none is
    /// told there.
    @Suite("containers whose upper directories are not told of data", .serialized)
    struct SilentKernel {
        /// Keeps the last figure of each layer.
        private final class Figures: TrackingSink {
            private let outcomes = Mutex<[LayerKey: LayerReport.Outcome]>([:])

            func take(_ report: LayerReport) {
                outcomes.withLock { $0[report.key] = report.outcome }
            }

            func outcome(_ key: LayerKey) -> LayerReport.Outcome? { outcomes.withLock { $0[key] } }

            /// Allocated bytes, where they are called exact.
            func exact(_ key: LayerKey) -> Int64? {
                guard case .measured(let measure, .exact) = outcome(key) else { return nil }
                return measure.total.diskBytes
            }
        }

        private static let names = ["silent-0", "silent-1", "silent-2"]

        @Test("random work, restarts and copies from outside leave every figure exact")
        func randomWork() async throws {
            let engine = try await EngineWorld.current.engineWithBase()
            let seed = UInt64.random(in: 0...UInt64.max)
            print("containers of a silent kernel: seed \(seed)")
            for name in Self.names { _ = try await engine.runIdle(name: name, image: EngineWorld.base) }
            let figures = Figures()
            var options = TrackingOptions()
            options.watchMask = KernelFileSystem.mask.subtracting([.modify, .closeWrite])
            let service = try TrackingService(options: options, sink: figures)
            service.start()
            defer { service.stop() }
            let reader = Stores.open(StoreLocation(kind: .docker, path: engine.dataRoot))
            let layers = try follow(reader, service)
            #expect(layers.count == Self.names.count)

            var works = Self.names.indices.map {
                RandomFileWork(seed: seed &+ UInt64($0), lowerFiles: ["/etc/issue", "/etc/debian_version"])
            }
            for round in 0..<(EngineWorld.runsAll ? 12 : 4) {
                for (index, name) in Self.names.enumerated() {
                    try await engine.docker(
                        ["exec", "--interactive", name, "sh"], input: works[index].script(operations: 60),
                        deadline: .seconds(300))
                }
                try await compare(layers, service, figures, "seed \(seed), round \(round), after work")

                let copied = engine.dataRoot + "/copied"
                try Data(repeating: 7, count: 300_000 + round).write(to: URL(fileURLWithPath: copied))
                try await engine.docker("stop", "--time", "0", Self.names[0])
                try await engine.docker("cp", copied, "\(Self.names[0]):/work/copied")
                try await engine.docker("cp", copied, "\(Self.names[1]):/work/copied")
                _ = try follow(reader, service, isNew: false)
                try await compare(layers, service, figures, "seed \(seed), round \(round), one stopped")
                try await engine.docker("start", Self.names[0])
                try await engine.docker(
                    "exec", Self.names[0], "sh", "-c", "head -c 200000 /dev/zero >> /work/copied")
                _ = try follow(reader, service, isNew: false)
                try await compare(layers, service, figures, "seed \(seed), round \(round), started")
            }
            try await engine.docker(["rm", "--force"] + Self.names)
        }

        /// Tells the service of the containers' layers, as the daemon does, and returns their directories.
        private func follow(
            _ reader: any StoreReader, _ service: TrackingService, isNew: Bool = true
        ) throws -> [LayerKey: String] {
            let facts = reader.read().facts
            var layers: [LayerKey: String] = [:]
            for container in facts.containers where Self.names.contains(container.name) {
                let layer = try #require(facts.layers.first { $0.id == container.layer })
                let key = LayerKey(store: facts.store, id: layer.id)
                #expect(layer.mount != nil)
                if isNew {
                    service.track(key, directory: layer.directory, silence: "deaf", mount: layer.mount)
                }
                service.setRunning(container.isRunning, key)
                layers[key] = layer.directory
            }
            return layers
        }

        /// Compares each figure with du once all are called exact; one that differs then fails at once.
        private func compare(
            _ layers: [LayerKey: String], _ service: TrackingService, _ figures: Figures, _ why: String
        ) async throws {
            let root = try #require(layers.keys.first?.store.root)
            try await DiskUsage.sync(root)
            try await wait(until: "all layers to be exact, \(why)", deadline: .seconds(120)) {
                await service.barrier() == []
                    && layers.keys.allSatisfy { figures.exact($0) != nil }
            }
            for (key, directory) in layers {
                let disk = try await DiskUsage.du(directory)
                #expect(figures.exact(key) == disk, "\(why), \(directory)")
            }
        }
    }
}
