import Accounting
import Testing

@Suite("Growth")
struct GrowthBookTests {
    private var host = ContainerHost()
    private var book = GrowthBook()

    private mutating func observe(_ disk: Int64, confidence: Confidence = .exact) {
        host.set("c", disk: disk, confidence: confidence)
        book.observe(host.snapshot, at: host.moment)
    }

    private func growth(_ seconds: Double) -> Int64 {
        book.growth(of: ContainerHost.key("c"), withinSeconds: seconds, at: host.moment)
    }

    @Test("the first figure of a container is its baseline, not growth")
    mutating func baseline() {
        observe(5_000)
        #expect(growth(60) == 0)
        host.advance(10)
        observe(7_000)
        #expect(growth(60) == 2_000)
        #expect(growth(5) == 2_000)
        host.advance(200)
        #expect(growth(60) == 0)
        #expect(growth(3600) == 2_000)
        let all = book.growth(of: ContainerHost.key("c"), at: host.moment)
        #expect(all == (0, 2_000, 2_000))
    }

    @Test("a change leaves the window when it is as old as the window, and not before")
    mutating func windowEnd() {
        observe(0)
        host.advance(10)
        observe(100)
        host.advance(59)
        #expect(growth(60) == 100)
        #expect(
            book.nextChange(of: ContainerHost.key("c"), withinSeconds: 60, at: host.moment)
                == host.moment.advanced(bySeconds: 1).uptime)
        host.advance(1)
        #expect(growth(60) == 0)
        #expect(book.nextChange(of: ContainerHost.key("c"), withinSeconds: 60, at: host.moment) == nil)
    }

    @Test("what shrinks has negative growth")
    mutating func shrinking() {
        observe(500)
        host.advance(10)
        observe(200)
        #expect(growth(60) == -300)
    }

    @Test(
        "a figure that is not known to be right is neither baseline nor growth",
        arguments: [Confidence.stale(reason: "gone"), .damaged(reason: "no JSON")])
    mutating func unknownFigures(confidence: Confidence) {
        observe(10, confidence: confidence)
        host.advance(10)
        observe(1_000)
        #expect(growth(60) == 0)
        host.advance(10)
        observe(9_000, confidence: confidence)
        #expect(growth(60) == 0)
        host.advance(10)
        observe(1_500, confidence: .polling(reason: "no watches", seconds: 30))
        #expect(growth(60) == 500)
    }

    @Test("a converging figure is growth, for a container can keep its own converging")
    mutating func converging() {
        observe(1_000, confidence: .converging)
        host.advance(10)
        observe(5_000, confidence: .converging)
        #expect(growth(60) == 4_000)
        host.advance(10)
        observe(4_500)
        #expect(growth(60) == 3_500)
    }

    @Test("containers of one id in two stores have each their own figures, over a restart too")
    mutating func twins() {
        let other = StoreIdentity(engine: "plain", driver: "directory", root: "/other")
        let twin = ContainerKey(store: other, id: "c")
        var ledger = Ledger()
        for (store, root) in [(ContainerHost.store, "/store"), (other, "/other")] {
            _ = ledger.update(
                StoreFacts(
                    store: store, layers: [LayerFact(id: "w", kind: .container, directory: "\(root)/c")],
                    containers: [ContainerFact(id: "c", name: "c", layer: "w")]))
        }
        for (one, two) in [(100, 10_000), (100, 10_500), (250, 10_500)] as [(Int64, Int64)] {
            for (store, bytes) in [(ContainerHost.store, one), (other, two)] {
                let total = Measure(diskBytes: bytes, sizeBytes: bytes, inodes: 1)
                ledger.record(
                    LayerKey(store: store, id: "w"), LayerMeasure(total: total), confidence: .exact)
            }
            book.observe(ledger.snapshot(), at: host.moment)
            host.advance(10)
        }
        book.note([PathGrowth(path: "/a", diskBytes: 1)], of: twin, at: host.moment)
        var restarted = GrowthBook()
        restarted.restore(book.saved(at: host.moment), at: host.moment)
        for book in [book, restarted] {
            #expect(book.growth(of: ContainerHost.key("c"), withinSeconds: 60, at: host.moment) == 150)
            #expect(book.growth(of: twin, withinSeconds: 60, at: host.moment) == 500)
        }
        #expect(book.top(of: twin, withinSeconds: 60, at: host.moment).map(\.path) == ["/a"])
        #expect(book.top(of: ContainerHost.key("c"), withinSeconds: 60, at: host.moment).isEmpty)
    }

    @Test("the version rises when there is something new to save")
    mutating func version() {
        var versions: [UInt64] = []
        for bytes in [5, 5, 6] as [Int64] {
            observe(bytes)
            versions.append(book.version)
            host.advance(1)
        }
        #expect(versions[0] > 0 && versions[1] == versions[0] && versions[2] > versions[1])
        #expect(book.count == 1)
    }

    @Test("a container that is not measured yet has no growth")
    mutating func unmeasured() {
        host.add("c")
        book.observe(host.snapshot, at: host.moment)
        #expect(book.reach(of: ContainerHost.key("c"), at: host.moment) == nil)
        #expect(growth(60) == 0)
    }

    @Test("a container that is gone is forgotten, one that is absent for a moment is not")
    mutating func goneContainers() {
        observe(100)
        host.advance(1)
        observe(300)
        host.remove("c")
        book.observe(host.snapshot, at: host.moment)
        host.advance(2)
        observe(400)
        #expect(growth(60) == 300)
        host.remove("c")
        book.observe(host.snapshot, at: host.moment)
        host.advance(11)
        book.observe(host.snapshot, at: host.moment)
        #expect(book.saved(at: host.moment).isEmpty)
        #expect(growth(60) == 0)
    }

    @Test("extreme figures and windows do not trap")
    mutating func extremes() {
        observe(.min)
        host.advance(1)
        observe(.max)
        #expect(growth(60) == .max)
        for seconds in [Double.infinity, .nan, -1, 1e300, 0] { _ = growth(seconds) }
        #expect(growth(.infinity) == .max)
        let book = GrowthBook(retentionSeconds: .nan)
        #expect(book.saved(at: Moment(uptime: .min, wall: .max)).isEmpty)
    }

    @Test("a restart keeps the growth of the windows, and what grew meanwhile counts")
    mutating func restart() {
        for disk in [0, 100, 300] as [Int64] {
            observe(disk)
            host.advance(30)
        }
        let saved = book.saved(at: host.moment)
        // The monotonic clock starts anew with the machine.
        let later = Moment(uptime: 1_000_000_000, wall: host.moment.advanced(bySeconds: 20).wall)
        var restarted = GrowthBook()
        restarted.restore(saved, at: later)
        restarted.observe(.empty, at: later)
        host.set("c", disk: 350)
        restarted.observe(host.snapshot, at: later)
        #expect(restarted.growth(of: ContainerHost.key("c"), withinSeconds: 3600, at: later) == 350)
        #expect(restarted.growth(of: ContainerHost.key("c"), withinSeconds: 60, at: later) == 250)
        #expect(restarted.growth(of: ContainerHost.key("c"), withinSeconds: 30, at: later) == 50)
    }

    @Test("saved samples of a clock that was set back, or in disorder, do no harm")
    mutating func oddSamples() {
        let wall = host.moment.wall
        let samples = [wall + 1_000_000_000_000, .max, .min, wall - 1, wall].map {
            SavedGrowth.Sample(wall: $0, bytes: $0 / 2)
        }
        book.restore(
            [
                SavedGrowth(store: ContainerHost.store, containerID: "c", samples: samples),
                SavedGrowth(store: ContainerHost.store, containerID: "d", samples: []),
            ],
            at: host.moment)
        observe(7)
        host.advance(1)
        observe(9)
        #expect(growth(1) == 2)
    }
}
