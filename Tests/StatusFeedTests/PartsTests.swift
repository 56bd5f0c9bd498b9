import NIOCore
import Synchronization
import Testing
import UsageTestKit
import Wire

@testable import StatusFeed

@Suite struct ConnectionGateTests {
    private let root = Peer(userID: 0, daemonUserID: 990)
    private let daemon = Peer(userID: 990, daemonUserID: 990)
    private let stranger = Peer(userID: 1000, daemonUserID: 990)

    @Test("one user cannot take all, all users cannot take root's reserve, root can")
    func limits() {
        var gate = ConnectionGate(limits: .init())
        for _ in 0..<32 { #expect(gate.arrived(stranger) == .admit) }
        #expect(gate.arrived(stranger) == .turnAway)
        let second = Peer(userID: 1001, daemonUserID: 990)
        for _ in 0..<16 { #expect(gate.arrived(second) == .admit) }
        #expect(gate.arrived(second) == .turnAway)
        #expect(gate.arrived(Peer(userID: nil, daemonUserID: 990)) == .turnAway)
        for _ in 0..<8 { #expect(gate.arrived(root) == .admit) }
        for _ in 0..<8 { #expect(gate.arrived(daemon) == .admit) }
        #expect(gate.arrived(root) == .turnAway)
        gate.left(stranger, .admit)
        #expect(gate.arrived(stranger) == .admit)
        #expect(gate.count == 64)
    }

    @Test("however they come and go, nobody is over a limit and all places come back")
    func model() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var gate = ConnectionGate(limits: .init())
        let peers = [root, daemon, stranger, Peer(userID: nil, daemonUserID: 990)]
        var open: [(Peer, ConnectionGate.Decision)] = []
        for _ in 0..<20_000 {
            if open.isEmpty || Int.random(in: 0..<9, using: &random) < 5 {
                let peer = peers[Int.random(in: 0..<peers.count, using: &random)]
                let decision = gate.arrived(peer)
                // Closed at once; those let in or told why are at most 80.
                if decision == .drop { gate.left(peer, decision) } else { open.append((peer, decision)) }
            } else {
                let (peer, decision) = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                gate.left(peer, decision)
            }
            let admitted = open.filter { $0.1 == .admit }
            let isWithinLimits =
                gate.count == admitted.count && admitted.count <= 64
                && admitted.count { !$0.0.isPrivileged } <= 48 && admitted.count { $0.0 == stranger } <= 32
                && open.count { $0.1 == .turnAway } <= 16
            if !isWithinLimits {
                Issue.record("seed \(seed): \(gate) with \(open.map { "\($0.0) \($0.1)" })")
                break
            }
        }
        for (peer, decision) in open { gate.left(peer, decision) }
        #expect(gate.count == 0)
    }
}

@Suite struct RequestPaceTests {
    private let stranger = Peer(userID: 1000, daemonUserID: 990)

    /// Requests that are answered within each second, of a user who sends the next when the one before is answered,
    /// on so many connections.
    private func answered(connections: Int, seconds: Int) -> [Int] {
        var pace = RequestPace(limits: .init())
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var perSecond = [Int](repeating: 0, count: seconds)
        var free = [NIODeadline](repeating: start, count: connections)
        while let index = free.indices.min(by: { free[$0] < free[$1] }) {
            let asked = free[index]
            let answered = asked + pace.delay(of: stranger, at: asked) + .milliseconds(1)
            let second = Int((answered - start).nanoseconds / 1_000_000_000)
            guard second < seconds else { break }
            perSecond[second] += 1
            free[index] = answered
        }
        return perSecond
    }

    @Test("a user gets the burst and then the rate, on however many connections", arguments: [1, 4, 32])
    func rate(connections: Int) {
        let perSecond = answered(connections: connections, seconds: 10)
        #expect(perSecond[0] <= 300)
        #expect(perSecond.dropFirst().allSatisfy { (95...105).contains($0) }, "\(perSecond)")
        #expect(perSecond.reduce(0, +) >= 1_150)
    }

    @Test("root and the daemon's user do not wait, nor do others for one who asks too much")
    func others() {
        var pace = RequestPace(limits: .init())
        let now = NIODeadline.uptimeNanoseconds(5)
        for _ in 0..<10_000 { _ = pace.delay(of: stranger, at: now) }
        #expect(pace.delay(of: stranger, at: now) > .zero)
        for id in [0, 990, 1001] as [UInt32] {
            #expect(pace.delay(of: Peer(userID: id, daemonUserID: 990), at: now) == .zero)
        }
        for _ in 0..<10_000 { #expect(pace.delay(of: Peer(userID: 0, daemonUserID: 990), at: now) == .zero) }
    }

    @Test("what was asked and not waited for holds nobody up for long")
    func abandoned() {
        var pace = RequestPace(limits: .init())
        let now = NIODeadline.uptimeNanoseconds(5)
        for _ in 0..<100_000 { _ = pace.delay(of: stranger, at: now) }
        #expect(pace.delay(of: stranger, at: now) <= .milliseconds(330))
        #expect(pace.delay(of: stranger, at: now + .seconds(3)) == .zero)
    }
}

@Suite struct PermitPoolTests {
    @Test("a question that is given up leaves the line, and the places stay whole")
    func cancellation() async throws {
        let pool = PermitPool(limit: 2, reserved: 1)
        let (holding, holdingContinuation) = AsyncStream.makeStream(of: Void.self)
        let (release, releaseContinuation) = AsyncStream.makeStream(of: Void.self)
        let holder = Task {
            try await pool.run(privileged: false) {
                holdingContinuation.yield()
                for await _ in release { break }
            }
        }
        for await _ in holding { break }
        let given = (0..<20).map { _ in Task { try await pool.run(privileged: false) {} } }
        for task in given { task.cancel() }
        for task in given {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        // The other place is for the privileged alone.
        try await pool.run(privileged: true) {}
        releaseContinuation.yield()
        try await holder.value
        try await pool.run(privileged: false) {}
    }

    @Test("many askers never hold more than the limit")
    func bounded() async throws {
        let pool = PermitPool(limit: 4, reserved: 2)
        let held = Held()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let privileged = number % 2 == 0
                group.addTask {
                    try await pool.run(privileged: privileged) {
                        held.change(by: 1, privileged)
                        await Task.yield()
                        held.change(by: -1, privileged)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(held.counts.withLock { $0.all } == 0)
    }

    private final class Held: Sendable {
        let counts = Mutex((all: 0, others: 0))

        func change(by change: Int, _ privileged: Bool) {
            counts.withLock { counts in
                counts.all += change
                counts.others += privileged ? 0 : change
                #expect((0...4).contains(counts.all))
                #expect((0...2).contains(counts.others))
            }
        }
    }
}

@Suite struct FeedFormatTests {
    @Test(
        "Accept chooses the format",
        arguments: [
            ([], .lines), ([""], .lines), (["*/*"], .lines), (["text/event-stream"], .eventStream),
            (["application/x-ndjson, text/event-stream;q=0.5"], .lines),
            (["application/x-ndjson;q=0.4", "text/event-stream ; q=0.5"], .eventStream),
            (["text/event-stream;q=0"], .lines), (["TEXT/EVENT-STREAM"], .eventStream),
            (["text/html,*/*;q=0.8"], .eventStream), ([";;;,,,q=x"], .lines), (["image/png"], .lines),
        ] as [([String], FeedFormat)])
    func accept(values: [String], format: FeedFormat) {
        #expect(FeedFormat(accept: values) == format)
    }

    @Test("line breaks in names do not break an event in two")
    func oneLine() throws {
        var event = FeedEvent.numbered(1)
        event.container?.name = "a\nb\r\nc\u{2028}d"
        let lines = try FeedFormat.lines.encode(event)
        #expect(lines.readableBytesView.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        let stream = try FeedFormat.eventStream.encode(event)
        #expect(stream.readableBytesView.filter { $0 == UInt8(ascii: "\n") }.count == 4)
        #expect(!stream.readableBytesView.contains(UInt8(ascii: "\r")))
    }
}

@Suite struct RouteTests {
    @Test("random targets never trap, and a decoded reference encodes back")
    func random() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("/%?#=&:.a1v2éimages feed".unicodeScalars)
        for _ in 0..<5000 {
            var target = "/v1/images/"
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                target.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            }
            _ = try? Route.of(method: "GET", target: target)
            _ = try? Route.of(
                method: "GET", target: String(target.dropFirst(Int.random(in: 0...11, using: &random))))
        }
        for _ in 0..<500 {
            let length = Int.random(in: 1...12, using: &random)
            let name = String(
                (0..<length).map { _ in
                    Character(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
                })
            let encoded = name.utf8.map { byte in
                let digits = String(byte, radix: 16)
                return "%" + (digits.count == 1 ? "0" : "") + digits
            }.joined()
            #expect(
                try Route.of(method: "GET", target: "/v1/images/" + encoded) == .image(name), "seed \(seed)")
            #expect(
                try Route.of(method: "POST", target: "/v1/marks/" + encoded) == .setMark(name), "seed \(seed)"
            )
        }
    }
}
