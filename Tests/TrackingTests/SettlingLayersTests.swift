import Accounting
import Testing

@testable import Tracking

/// Passes calls on: an expectation may not change a value, but may call an object that does.
private final class Book {
    private var layers = SettlingLayers()

    var count: Int { layers.count }
    var nextDue: Int64? { layers.nextDue }

    func add(_ key: LayerKey, directory: String) -> Bool { layers.add(key, directory: directory) }
    func forget(_ key: LayerKey) -> [SettlingLayers.Answer] { layers.forget(key) }
    func takeDue(at now: Int64) -> [LayerKey] { layers.takeDue(at: now) }
    func begin(_ key: LayerKey) -> SettlingLayers.Walk? { layers.begin(key) }
    func isWanted(_ walk: SettlingLayers.Walk) -> Bool { layers.isWanted(walk) }
    func ask() -> (barrier: Int, urgent: [LayerKey], answer: SettlingLayers.Answer?) { layers.ask() }
    func giveUp(_ barrier: Int) -> SettlingLayers.Answer? { layers.giveUp(barrier) }

    func end(_ walk: SettlingLayers.Walk, _ outcome: SettlingLayers.Outcome) -> SettlingLayers.Ending {
        layers.end(walk, outcome)
    }
}

@Suite("Immutable layers whose figures are not final")
struct SettlingLayersTests {
    private let store = StoreIdentity(engine: "test", driver: "directory", root: "/")
    private var layer: LayerKey { LayerKey(store: store, id: "layer") }

    private func begun(_ layers: Book) throws -> SettlingLayers.Walk {
        try #require(layers.begin(layer))
    }

    /// Measured once and young.
    private func young() throws -> Book {
        let layers = Book()
        #expect(layers.add(layer, directory: "/a"))
        let walk = try begun(layers)
        #expect(layers.end(walk, .young(due: 100)).isNews)
        return layers
    }

    @Test("a young layer is queued when its time has come, until it is final")
    func untilFinal() throws {
        let layers = try young()
        #expect(layers.nextDue == 100)
        #expect(layers.takeDue(at: 99) == [])
        #expect(layers.takeDue(at: 100) == [layer])
        #expect(layers.takeDue(at: 200) == [])
        let walk = try begun(layers)
        #expect(layers.end(walk, .final) == SettlingLayers.Ending(isNews: true))
        #expect(layers.count == 0)
        #expect(layers.nextDue == nil)
    }

    @Test("a barrier does not wait for a layer that was never measured, and says so")
    func unmeasured() {
        let layers = Book()
        #expect(layers.ask().answer?.unsettled == [])
        #expect(layers.add(layer, directory: "/a"))
        #expect(layers.ask().answer?.unsettled == [layer])
        #expect(layers.begin(layer) != nil)
        #expect(layers.ask().answer?.unsettled == [layer])
    }

    @Test("a walk that waits in the queue serves all barriers")
    func queuedWalk() throws {
        let layers = try young()
        #expect(layers.takeDue(at: 100) == [layer])
        let first = layers.ask()
        let second = layers.ask()
        #expect(first.urgent == [layer])
        let walk = try begun(layers)
        let ending = layers.end(walk, .young(due: 200))
        #expect(ending.answers.map(\.barrier) == [first.barrier, second.barrier])
        #expect(ending.answers.allSatisfy { $0.unsettled == [] })
        #expect(!ending.isQueuedAgain)
    }

    @Test("a walk that had begun before the barrier does not serve it; the next does")
    func runningWalk() throws {
        let layers = try young()
        #expect(layers.takeDue(at: 100) == [layer])
        let early = try begun(layers)
        let asked = layers.ask()
        #expect(asked.urgent == [])
        let ending = layers.end(early, .young(due: 200))
        #expect(ending.isQueuedAgain)
        #expect(ending.answers == [])
        let late = try begun(layers)
        #expect(
            layers.end(late, .young(due: 300)).answers == [
                SettlingLayers.Answer(barrier: asked.barrier, unsettled: [])
            ])
    }

    @Test("a walk that finds a layer final serves a later barrier too")
    func finalWalk() throws {
        let layers = try young()
        #expect(layers.takeDue(at: 100) == [layer])
        let early = try begun(layers)
        let asked = layers.ask()
        let ending = layers.end(early, .final)
        #expect(ending.answers == [SettlingLayers.Answer(barrier: asked.barrier, unsettled: [])])
        #expect(!ending.isQueuedAgain)
        #expect(layers.count == 0)
    }

    @Test("past its deadline a barrier has the layers it waited for, and no later walk answers it again")
    func givenUp() throws {
        let layers = try young()
        let asked = layers.ask()
        #expect(
            layers.giveUp(asked.barrier) == SettlingLayers.Answer(barrier: asked.barrier, unsettled: [layer]))
        #expect(layers.giveUp(asked.barrier) == nil)
        let walk = try begun(layers)
        #expect(layers.end(walk, .young(due: 200)).answers == [])
    }

    @Test("forgetting a layer ends its walks and the barriers that wait for it")
    func forgotten() throws {
        let layers = try young()
        let asked = layers.ask()
        let walk = try begun(layers)
        #expect(layers.forget(layer) == [SettlingLayers.Answer(barrier: asked.barrier, unsettled: [])])
        #expect(!layers.isWanted(walk))
        #expect(layers.add(layer, directory: "/a"))
        #expect(layers.end(walk, .final) == SettlingLayers.Ending())
        #expect(layers.count == 1)
    }

    @Test("a layer that cannot be measured is unsettled, tried again, and told of once")
    func failed() throws {
        let layers = try young()
        let asked = layers.ask()
        var walk = try begun(layers)
        let ending = layers.end(walk, .failed(reason: "gone", retry: 200))
        #expect(ending.isNews)
        #expect(ending.answers == [SettlingLayers.Answer(barrier: asked.barrier, unsettled: [layer])])
        #expect(layers.ask().answer?.unsettled == [layer])
        #expect(layers.takeDue(at: 200) == [layer])
        walk = try begun(layers)
        #expect(!layers.end(walk, .failed(reason: "gone", retry: 300)).isNews)
    }

    @Test("a layer in another directory is measured there, whatever runs")
    func otherDirectory() throws {
        let layers = Book()
        #expect(layers.add(layer, directory: "/a"))
        #expect(!layers.add(layer, directory: "/b"))
        let walk = try begun(layers)
        #expect(walk.directory == "/b")
        #expect(layers.add(layer, directory: "/c"))
        #expect(layers.end(walk, .final) == SettlingLayers.Ending())
        #expect(try begun(layers).directory == "/c")
    }
}
