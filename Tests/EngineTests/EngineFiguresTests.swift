import Testing
import UsageTestKit
import Wire

extension EngineTests {
    @Suite("figures of images and layers", .serialized)
    struct Figures {
        @Test("every image's virtual size, parent and steps are the engine's")
        func images() async throws {
            let engine = try await EngineWorld.current.engineWithImages()
            let query = try await EngineWorld.current.daemon().query
            let status = try await query.exactStatus()
            let images = try await engine.images()
            #expect(Set(status.images.map(\.id)) == Set(images.map(\.id)))
            for image in images {
                let ours = try #require(status.images.first { $0.id == image.id })
                #expect(ours.virtualSizeBytes == image.size, "image \(image.id)")
                #expect(ours.parent == image.parent, "image \(image.id)")
                #expect(ours.names.sorted() == image.names, "image \(image.id)")
                #expect(ours.state == .exact)
                let steps = try await engine.history(of: image.id)
                let detail = try await query.client(ImageDetail.self, "history", image.id)
                #expect(detail.history.map(\.sizeBytes) == steps.map(\.size), "image \(image.id)")
                #expect(detail.history.map(\.instruction) == steps.map(\.instruction), "image \(image.id)")
            }
        }

        @Test("shared and unique sizes, and the sum of all layers, are those of docker system df")
        func sharedAndUnique() async throws {
            let engine = try await EngineWorld.current.engineWithImages()
            let query = try await EngineWorld.current.daemon().query
            let status = try await query.exactStatus()
            let usage = try await engine.systemDiskUsage()
            #expect(!usage.images.isEmpty)
            for image in usage.images {
                let ours = try #require(status.images.first { $0.id == image.id })
                #expect(ours.sharedBytes == image.sharedSize, "image \(image.names)")
                #expect(ours.uniqueBytes == image.size - image.sharedSize, "image \(image.names)")
            }
            #expect(status.totals.imageLayers.sizeBytes == usage.layersSize)
        }

        @Test("allocated bytes of images and of all layers are what du says of the layers' directories")
        func allocated() async throws {
            let engine = try await EngineWorld.current.engineWithImages()
            let query = try await EngineWorld.current.daemon().query
            try await DiskUsage.sync(engine.dataRoot)
            let status = try await query.exactStatus()
            var distinct: Set<String> = []
            for image in try await engine.images() {
                let directories = try await engine.layerDirectories(of: image.id)
                distinct.formUnion(directories)
                let disk = try await DiskUsage.du(directories).reduce(0, +)
                let ours = try #require(status.images.first { $0.id == image.id })
                #expect(ours.diskBytes == disk, "image \(image.id)")
            }
            let total = try await DiskUsage.du(distinct.sorted()).reduce(0, +)
            #expect(status.totals.imageLayers.diskBytes == total)
            #expect(status.totals.imageLayers.count == distinct.count)

            let layers = try await query.get(LayerList.self, "v1/layers").layers
            for layer in layers where layer.kind == "image" {
                let walk = try await FullWalk.measure(layer.directory)
                #expect(layer.diskBytes + layer.sharedInodeBytes == walk.diskBytes, "\(layer.directory)")
                #expect(layer.sizeBytes == walk.sizeBytes, "\(layer.directory)")
                #expect(layer.inodes == walk.inodes, "\(layer.directory)")
                #expect(layer.declaredSizeBytes == walk.sizeBytes, "\(layer.directory)")
            }
        }

        @Test("what a file system uses is attributed to the last byte, or named as other")
        func balance() async throws {
            _ = try await EngineWorld.current.engineWithImages()
            let status = try await EngineWorld.current.daemon().query.exactStatus()
            #expect(!status.filesystems.isEmpty)
            for system in status.filesystems {
                #expect(system.usedBytes == system.attributed.sum + system.otherBytes)
            }
            let layers = status.filesystems.map(\.attributed.imageLayers).reduce(0, +)
            #expect(layers == status.totals.imageLayers.diskBytes)
        }

        @Test("the same layer content on two bases is two directories, and is charged twice")
        func sameContentOnTwoBases() async throws {
            let engine = try await EngineWorld.current.engineWithImages()
            let query = try await EngineWorld.current.daemon().query
            for base in [EngineWorld.base, EngineWorld.zigiweb] {
                try await engine.build(
                    tag: "twice-\(base.prefix(3))",
                    dockerfile: """
                        FROM \(base)
                        RUN head -c 3000000 /dev/zero > /same && touch -d @1000000000 /same && touch -d @1000000000 /
                        """)
            }
            let status = try await wait(for: "both images") {
                let status = try await query.exactStatus()
                return status.image(named: "twice-ubu:latest") != nil
                    && status.image(named: "twice-zig:latest") != nil ? status : nil
            }
            #expect(status.totals.imageLayers.sizeBytes == (try await engine.systemDiskUsage().layersSize))
            for name in ["twice-ubu", "twice-zig"] {
                #expect(status.image(named: "\(name):latest")?.uniqueBytes == 3_000_000)
                try await engine.docker("rmi", name)
            }
        }
    }
}
