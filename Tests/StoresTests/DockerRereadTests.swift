import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Reading Docker's store again")
struct DockerRereadTests {
    @Test("what did not change is not parsed again")
    func parsesNothing() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        let first = reader.read()
        #expect(first.filesRead > 10)
        let second = reader.read()
        #expect(second.filesRead == 0)
        #expect(second.facts == first.facts)
        #expect(second.directories == first.directories)
    }

    @Test("a container that comes, changes and goes costs its own files")
    func followsContainer() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        _ = reader.read()
        let image = try sandbox.image("base:1")
        var container = try sandbox.store.addContainer(named: "job", on: image, isRunning: false)
        var reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.filesRead == 4)

        container.name = "renamed"
        container.isRunning = true
        try sandbox.store.update(container)
        reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.filesRead == 1)

        try sandbox.store.removeContainer(container.id)
        reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.filesRead == 0)
    }

    @Test("a container on nothing has no chain")
    func containerOnNothing() throws {
        let sandbox = try StoreSandbox()
        try sandbox.store.addContainer(named: "scratch", on: nil)
        #expect(sandbox.reader().read().facts.inOrder == sandbox.store.facts)
    }

    @Test("an image that comes and goes costs its own files")
    func followsImage() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        _ = reader.read()
        let base = try sandbox.image("base:1")
        let made = try sandbox.store.build(
            [BuildStep("RUN x", content: LayerContent(files: [.init("x", size: 5)]))], on: base,
            names: ["x:1"])
        var reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        // The names, the configuration, the parent, and four files of the layer.
        #expect(reading.filesRead == 7)

        try sandbox.store.rename(image: made[0].id, to: ["x:2", "y:1"])
        reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.filesRead == 1)

        try sandbox.store.removeImage(made[0].id)
        reading = reader.read()
        #expect(reading.facts.inOrder == sandbox.store.facts)
        #expect(reading.filesRead == 1)
    }

    @Test("a pending file is read again until it is whole")
    func retriesPending() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        let layer = try sandbox.topLayer(of: "base:1")
        let path = "\(sandbox.metadata)/layerdb/sha256/\(layer.id)/size"
        try sandbox.write("", to: path)
        #expect(reader.read().facts.problems.count == 1)
        #expect(reader.read().facts.problems.count == 1)
        try sandbox.write("70001", to: path)
        #expect(reader.read().facts.inOrder == sandbox.store.facts)
        #expect(reader.read().filesRead == 0)
    }

    @Test("random changes read as what was built", arguments: [UInt64(1), 2, 3, 4])
    func followsRandomChanges(seed: UInt64) throws {
        let sandbox = try StoreSandbox(seed: seed)
        let reader = sandbox.reader()
        var generator = SeededGenerator(seed: seed &+ 100)
        for step in 0..<60 {
            try change(&sandbox.store, step, &generator)
            let reading = reader.read()
            #expect(reading.facts.inOrder == sandbox.store.facts, "seed \(seed), step \(step)")
            let again = reader.read()
            #expect(again.filesRead == 0 && again.facts == reading.facts, "seed \(seed), step \(step)")
        }
        #expect(sandbox.reader().read().facts.inOrder == sandbox.store.facts, "seed \(seed)")
    }

    private func change(
        _ store: inout DockerStoreBuilder, _ step: Int, _ generator: inout SeededGenerator
    ) throws {
        let images = store.facts.images
        let containers = store.facts.containers
        let used = Set(images.compactMap(\.parent) + containers.map(\.imageID))
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1:
            let steps = (0..<Int.random(in: 1...3, using: &generator)).map { index in
                BuildStep(
                    "step \(index)",
                    content: Bool.random(using: &generator)
                        ? LayerContent(files: [.init("f\(index)", size: 100 * index)]) : nil)
            }
            try store.build(steps, on: images.randomElement(using: &generator), names: ["image:\(step)"])
        case 2:
            let image = images.randomElement(using: &generator)
            try store.addContainer(named: "c\(step)", on: image, labels: ["step": "\(step)"])
        case 3:
            if let container = containers.randomElement(using: &generator) {
                try store.removeContainer(container.id)
            }
        case 4:
            if let image = images.filter({ !used.contains($0.id) }).randomElement(using: &generator) {
                try store.removeImage(image.id)
            }
        default:
            if let image = images.randomElement(using: &generator) {
                try store.rename(image: image.id, to: ["again:\(step)", "and:\(step)"])
            }
        }
    }
}
