import Accounting
import Testing
import UsageTestKit

@Suite("Growing paths")
struct GrowingPathsTests {
    private var host = ContainerHost()
    private var book = GrowthBook()

    private mutating func note(_ changes: [(String, Int64)]) {
        book.note(
            changes.map { PathGrowth(path: $0.0, diskBytes: $0.1) }, of: ContainerHost.key("c"),
            at: host.moment)
    }

    private func top(_ seconds: Double, limit: Int = 5) -> [PathGrowth] {
        book.top(of: ContainerHost.key("c"), withinSeconds: seconds, at: host.moment, limit: limit)
    }

    @Test("the paths that grew the most come first; those that shrank are left out")
    mutating func order() {
        note([("/a", 10), ("/b", 30), ("/gone", -100)])
        host.advance(10)
        note([("/a", 25), ("/b", 1)])
        #expect(top(60) == [PathGrowth(path: "/a", diskBytes: 35), PathGrowth(path: "/b", diskBytes: 31)])
        #expect(top(60, limit: 1).map(\.path) == ["/a"])
        #expect(top(60, limit: -1).isEmpty)
    }

    @Test("what is older than the window does not count")
    mutating func window() {
        note([("/old", 10)])
        host.advance(100)
        note([("/new", 1)])
        #expect(top(60).map(\.path) == ["/new"])
        #expect(top(600).map(\.path) == ["/old", "/new"])
        host.advance(90_000)
        note([("/newest", 1)])
        #expect(top(86_400).map(\.path) == ["/newest"])
    }

    @Test("many small files show as the directory that they fill, beside the large one")
    mutating func manyFiles() {
        for batch in 0..<100 {
            note((0..<100).map { ("/cache/\(batch)/\($0)", 4096) } + [("/var/log/app.log", 1_000_000)])
            host.advance(1)
        }
        let found = top(3600)
        #expect(found.first == PathGrowth(path: "/var/log/app.log", diskBytes: 100_000_000))
        #expect(found.dropFirst().first?.path.hasPrefix("/cache/") == true)
        let sum = top(3600, limit: .max).reduce(0) { $0 + $1.diskBytes }
        #expect(sum == 100 * (100 * 4096 + 1_000_000))
    }

    @Test("however many paths of whatever length, the sum stays and the number is bounded")
    mutating func hostilePaths() {
        var random = SeededGenerator(seed: 7)
        var sum: Int64 = 0
        for _ in 0..<200 {
            let changes = (0..<200).map { _ -> (String, Int64) in
                let depth = Int.random(in: 0...40, using: &random)
                let parts = (0..<depth).map { _ in
                    String(repeating: "x", count: Int.random(in: 0...60, using: &random))
                }
                return (
                    "/" + parts.joined(separator: "/") + "\(UInt64.random(in: 0 ... .max, using: &random))",
                    Int64.random(in: 1...100, using: &random)
                )
            }
            sum += changes.reduce(0) { $0 + $1.1 }
            note(changes)
            host.advance(400)
        }
        let all = top(86_400, limit: .max)
        #expect(all.reduce(0) { $0 + $1.diskBytes } == sum)
        #expect(all.count < 3000)
        #expect(all.allSatisfy { $0.path.utf8.count <= 1024 })
        note([("", 1), ("no slash", 2), (String(repeating: "y", count: 5000), 3), ("/z", .max), ("/z", .max)])
        #expect(top(1).first == PathGrowth(path: "/z", diskBytes: .max))
    }

    @Test("paths of containers that are gone go with them")
    mutating func goneContainers() {
        host.set("d", disk: 1)
        note([("/a", 10)])
        book.observe(host.snapshot, at: host.moment)
        #expect(top(60).isEmpty)
    }
}
