import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Stores

@Suite("Reading a store of containers-storage again")
struct ContainersStorageRereadTests {
    @Test("what did not change is not parsed again", arguments: ["overlay", "vfs"])
    func parsesNothing(driver: String) throws {
        let sandbox = try ContainersStorageSandbox.small(driver: driver)
        let reader = sandbox.reader()
        let first = reader.read()
        #expect(first.filesRead > 5)
        let second = reader.read()
        #expect(second.filesRead == 0)
        #expect(second.facts == first.facts)
        #expect(second.directories == first.directories)
    }

    @Test("a container that comes and goes costs the lists and its own files")
    func followsContainer() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let reader = sandbox.reader()
        _ = reader.read()
        let container = try sandbox.store.addContainer(
            named: "new", on: try sandbox.image("localhost/base:1"), logBytes: 10)
        var reading = reader.read()
        #expect(reading.facts.sorted == sandbox.store.facts)
        // Four lists, which the builder writes together, the layer's link, and the bundle.
        #expect(reading.filesRead == 6)
        try sandbox.store.removeContainer(container.id)
        reading = reader.read()
        #expect(reading.facts.sorted == sandbox.store.facts)
        #expect(reading.filesRead == 4)
    }

    @Test("a reading names the directories in which what it lacks will be made")
    func watchesForMore() throws {
        let sandbox = try ContainersStorageSandbox.small()
        let root = sandbox.store.root
        let watched = Set(sandbox.reader().read().directories)
        let wanted = [
            "", "/overlay", "/overlay-layers", "/overlay-images", "/overlay-containers", "/volumes",
        ]
        #expect(watched.isSuperset(of: wanted.map { root + $0 }))
        for id in sandbox.store.containers.keys { #expect(watched.contains(sandbox.store.userData(of: id))) }
    }

    @Test("random changes read as what was built", arguments: [UInt64(1), 2, 3, 4], ["overlay", "vfs"])
    func followsRandomChanges(seed: UInt64, driver: String) throws {
        let sandbox = try ContainersStorageSandbox(driver: driver, seed: seed)
        let reader = sandbox.reader()
        var generator = SeededGenerator(seed: seed &+ 100)
        for step in 0..<40 {
            try change(&sandbox.store, step, &generator)
            let reading = reader.read()
            #expect(reading.facts.sorted == sandbox.store.facts, "seed \(seed), step \(step)")
            #expect(StoreConformance.flaws(of: reading.facts) == [], "seed \(seed), step \(step)")
            let again = reader.read()
            #expect(again.filesRead == 0 && again.facts == reading.facts, "seed \(seed), step \(step)")
        }
        #expect(sandbox.reader().read().facts.sorted == sandbox.store.facts, "seed \(seed)")
    }

    private func change(
        _ store: inout ContainersStorageBuilder, _ step: Int, _ generator: inout SeededGenerator
    ) throws {
        let images = store.facts.images
        let content = LayerContent(files: [.init("f\(step)", size: 100 * step)])
        switch Int.random(in: 0..<7, using: &generator) {
        case 0, 1:
            let steps = (0..<Int.random(in: 0...3, using: &generator)).map { index in
                BuildStep("step \(index)", content: Bool.random(using: &generator) ? content : nil)
            }
            try store.addImage(steps, on: images.randomElement(using: &generator), names: ["i:\(step)"])
        case 2:
            try store.addContainer(
                named: "c\(step)", on: images.randomElement(using: &generator), content: content,
                logBytes: Bool.random(using: &generator) ? 100 : nil,
                isVolatile: Bool.random(using: &generator))
        case 3:
            if let container = store.facts.containers.randomElement(using: &generator) {
                try store.removeContainer(container.id)
            }
        case 4:
            // An image without its own layers, under a container too: the engine keeps what is used.
            if let image = images.randomElement(using: &generator) { try store.removeImage(image.id) }
        case 5:
            try store.addVolume("v\(step)", content)
        default:
            if let volume = store.facts.volumes.randomElement(using: &generator) {
                try store.removeVolume(volume.name)
            }
        }
    }
}
