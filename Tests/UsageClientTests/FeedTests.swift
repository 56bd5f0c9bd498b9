import Foundation
import Synchronization
import Testing
import UsageTestKit
import Wire

@testable import UsageClient

struct FeedTests {
    private static let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    private static func line(_ event: FeedEvent) -> String {
        String(decoding: (try? WireCoding.encode(event)) ?? Data(), as: UTF8.self) + "\n"
    }

    private static let snapshot = FeedEvent(
        type: .snapshot, id: 7, time: Samples.time, status: Samples.status)
    private static let usage = FeedEvent(
        type: .usage, id: 8, time: Samples.time, container: Samples.container(),
        change: Since.Change(diskBytes: 1, sizeBytes: 1))

    /// The events up to `count`, skipping what is no event.
    private func events(_ follower: FeedFollower, _ count: Int) throws -> [FeedEvent?] {
        var events: [FeedEvent?] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while events.count < count, ContinuousClock.now < deadline {
            if case .event(let event, _) = try follower.next(within: .seconds(1)) { events.append(event) }
        }
        return events
    }

    @Test("events come whole however the stream is cut")
    func splits() throws {
        let server = try ScriptedServer { request, peer in
            guard request.head.contains("Accept: application/x-ndjson") else { return }
            peer.send(Self.start)
            let text = Self.line(Self.snapshot) + "\n" + Self.line(Self.usage)
            for byte in text.utf8 { peer.send(Self.chunk(String(UnicodeScalar(byte)))) }
            peer.waitForClose()
        }
        let follower = try FeedFollower(DaemonConnection(socket: server.path))
        #expect(try events(follower, 2) == [Self.snapshot, Self.usage])
    }

    @Test("after the daemon has gone the feed is resumed by the last event's id")
    func resumes() throws {
        let heads = Mutex<[String]>([])
        let server = try ScriptedServer { request, peer in
            let attempt = heads.withLock { heads in
                heads.append(request.head)
                return heads.count
            }
            peer.send(Self.start)
            peer.send(Self.chunk(Self.line(attempt == 1 ? Self.snapshot : Self.usage)))
            if attempt > 1 { peer.waitForClose() }
        }
        let follower = try FeedFollower(DaemonConnection(socket: server.path))
        #expect(try events(follower, 2) == [Self.snapshot, Self.usage])
        let asked = heads.withLock { $0 }
        #expect(!asked[0].contains("Last-Event-ID"))
        #expect(asked[1].contains("Last-Event-ID: 7\r\n"))
    }

    @Test("a daemon that stays away ends the feed with no daemon")
    func staysAway() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        let listener = try listen(at: path)
        Thread.detachNewThread {
            let descriptor = accept(listener, nil, nil)
            // A client that sends after the end would not get as far as the feed.
            _ = readHead(descriptor)
            ScriptedServer.Peer(descriptor: descriptor).send(Self.start)
            close(listener)
            close(descriptor)
        }
        let follower = try FeedFollower(DaemonConnection(socket: path, timeout: .milliseconds(700)))
        #expect {
            _ = try events(follower, 1)
        } throws: {
            ($0 as? ClientError)?.exitStatus == .noDaemon
        }
    }

    @Test("a type of event that is not known is passed over, a broken line is not")
    func unknown() throws {
        let server = try ScriptedServer { _, peer in
            peer.send(Self.start)
            peer.send(
                Self.chunk(
                    #"{"type":"volume-added","id":9,"time":"x"}"# + "\n" + Self.line(Self.usage) + "{]\n"))
            peer.waitForClose()
        }
        let follower = try FeedFollower(DaemonConnection(socket: server.path))
        #expect(try events(follower, 2) == [nil, Self.usage])
        #expect {
            _ = try events(follower, 1)
        } throws: {
            ($0 as? ClientError)?.code == .badAnswer
        }
    }

    @Test("the live picture follows the events")
    func live() {
        var view = LiveView()
        let options = RenderOptions(width: 80, zone: .utc)
        #expect(view.frame(rows: 10, options) == ["waiting for the first snapshot of the daemon"])
        _ = view.apply(Self.snapshot)
        var grown = Samples.container(disk: 50_000_000)
        _ = view.apply(FeedEvent(type: .usage, id: 8, time: Samples.time, container: grown))
        #expect(view.status?.containers == [grown])
        #expect(view.status?.totals.containers.diskBytes == 50_000_000)
        grown.id = "ff"
        grown.name = "other"
        _ = view.apply(FeedEvent(type: .containerAdded, id: 9, time: Samples.time, container: grown))
        #expect(view.status?.containers.count == 2)
        _ = view.apply(FeedEvent(type: .alert, id: 10, time: Samples.time, alert: Samples.alert))
        let frame = view.frame(rows: 14, options)
        #expect(frame.count == 14)
        #expect(frame.contains("  critical  web grew by 20.97MB within 60s (limit 10MB)"))
        #expect(frame.last == "q quit   s sort: disk")
        #expect(frame.allSatisfy { TerminalText.columns($0) <= 80 })
        _ = view.apply(FeedEvent(type: .containerRemoved, id: 11, time: Samples.time, container: grown))
        #expect(view.status?.containers.count == 1)
        #expect(view.status?.totals.containers.diskBytes == 50_000_000)
    }

    @Test("long alerts leave room for containers on a low screen")
    func alertsOnFewRows() {
        var view = LiveView()
        _ = view.apply(Self.snapshot)
        for number in 0..<9 {
            var alert = Samples.alert
            alert.rule = "rule-\(number)"
            alert.message = String(repeating: "many words ", count: 30)
            _ = view.apply(FeedEvent(type: .alert, id: 9, time: Samples.time, alert: alert))
        }
        let frame = view.frame(rows: 14, RenderOptions(width: 60))
        #expect(frame.count == 14)
        #expect(frame.contains { $0.hasPrefix("web ") })
        #expect(frame.contains { $0.contains("many words") })
    }

    @Test("the live picture does not mix up objects of one id in two stores, nor has an image twice")
    func twins() {
        var view = LiveView()
        _ = view.apply(Self.snapshot)
        var container = Samples.container(disk: 5000)
        container.root = "/other"
        var image = Samples.image()
        let images = view.status?.images.count ?? 0
        _ = view.apply(FeedEvent(type: .containerAdded, id: 8, time: Samples.time, container: container))
        _ = view.apply(FeedEvent(type: .imageAdded, id: 9, time: Samples.time, image: image))
        #expect(view.status?.images.count == images)
        image.root = "/other"
        _ = view.apply(FeedEvent(type: .imageAdded, id: 10, time: Samples.time, image: image))
        #expect(view.status?.images.count == images + 1)
        #expect(view.status?.containers.map(\.diskBytes) == [Samples.container().diskBytes, 5000])
        _ = view.apply(FeedEvent(type: .containerRemoved, id: 11, time: Samples.time, container: container))
        _ = view.apply(FeedEvent(type: .imageRemoved, id: 12, time: Samples.time, image: image))
        #expect(view.status?.containers.map(\.root) == ["/var/lib/docker"])
        #expect(view.status?.images == Samples.status.images)
    }

    @Test("a screen of few rows shows as many containers as fit", arguments: [4, 6, 10, 24])
    func fewRows(rows: Int) {
        var view = LiveView()
        _ = view.apply(Self.snapshot)
        for number in 0..<100 {
            var container = Samples.container(name: "web-\(number)")
            container.id = "\(number)"
            _ = view.apply(FeedEvent(type: .containerAdded, id: 9, time: Samples.time, container: container))
        }
        #expect(view.frame(rows: rows, RenderOptions(width: 60)).count == rows)
    }
}
