import Foundation
import Settings
import Testing
import UsageTestKit
import Wire

@testable import Notify

/// Debian's Alertmanager on loopback, with storage of the test's.
private final class Alertmanager: Sendable {
    static let isThere = Program.isRequired("prometheus-alertmanager")

    let url: String
    private let child: ChildProcess

    init(_ scratch: ScratchDirectory, port: UInt16, storage: String) async throws {
        url = "http://127.0.0.1:\(port)"
        let configuration = try scratch.write(
            "route:\n  receiver: none\nreceivers:\n  - name: none\n", to: "am.yml")
        child = try await ChildProcess.start(
            [
                "prometheus-alertmanager", "--config.file=\(configuration)",
                "--storage.path=\(try scratch.directory(storage))", "--web.listen-address=127.0.0.1:\(port)",
                "--cluster.listen-address=",
            ], output: .file(scratch("am.log")), error: .file(scratch("am.log")), diesWithParent: true)
        try await wait(until: "the Alertmanager to be ready", deadline: .seconds(30)) {
            try await Command.run(["curl", "--silent", "--fail", "\(url)/-/ready"]).status == 0
        }
    }

    func end() async throws {
        child.signal(SIGTERM)
        try await child.ended(within: .seconds(20))
    }

    /// What fires, as it tells others.
    func alerts() async throws -> [[String: Any]] {
        let text = try await Command.output([
            "curl", "--silent", "--fail", "\(url)/api/v2/alerts?active=true",
        ])
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    }

    func containers() async throws -> [String] {
        try await alerts().compactMap { ($0["labels"] as? [String: String])?["container"] }.sorted()
    }
}

@Suite(
    "a real Alertmanager",
    .enabled(if: Alertmanager.isThere, "needs Debian's package prometheus-alertmanager"))
struct AlertmanagerTests {
    private func receiver(_ port: UInt16) -> Receiver {
        Receiver(
            name: "am",
            kind: .alertmanager(Receiver.Endpoint(address: .url("http://127.0.0.1:\(port)/"))),
            repeatInterval: .seconds(1))
    }

    /// As the daemon tells alerts, now.
    private func alert(_ name: String, _ state: Alert.State = .firing, ago seconds: Double = 0) -> Alert {
        var alert = Samples.alert("c", state, name: name)
        alert.containerID = "id-" + name
        alert.since = WireCoding.timestamp(
            wallNanoseconds: Int64((Date().timeIntervalSince1970 - seconds) * 1e9))
        return alert
    }

    @Test("it has each alert with all labels, hostile names too, until it is resolved")
    func labels() async throws {
        try await withNotifyScratch { scratch in
            let port = try WebReceiver.freePort()
            let manager = try await Alertmanager(scratch, port: port, storage: "data")
            let delivery = try Delivery(receiver(port), scratch)
            let alerts = WebhookTests.hostile.map { alert($0, ago: 60) }
            delivery.tell(alerts)
            try await wait(until: "every alert", deadline: .seconds(20)) {
                try await manager.containers() == WebhookTests.hostile.sorted()
            }
            let known = try await manager.alerts()
            for alert in alerts {
                let found = try #require(
                    known.first { ($0["labels"] as? [String: String])?["container_id"] == alert.containerID })
                #expect(
                    found["labels"] as? [String: String] == [
                        "alertname": "grow", "severity": "warning", "instance": "host-1", "engine": "docker",
                        "store": "/var/lib/docker", "container": alert.container,
                        "container_id": alert.containerID,
                        "image": "shop:1",
                    ])
                #expect((found["annotations"] as? [String: String])?["summary"] == alert.message)
                #expect(found["startsAt"] as? String == alert.since)
                // Its own sum over the labels.
                let fingerprint = AlertLabels(Notice(alert), instance: "host-1").fingerprint
                #expect(found["fingerprint"] as? String == fingerprint)
            }
            delivery.tell(alerts.map { alert($0.container, .resolved) })
            try await wait(until: "the ends", deadline: .seconds(20)) { try await manager.alerts().isEmpty }
            try await delivery.stop()
            try await manager.end()
        }
    }

    @Test("after it was down it has what fires, and no alert that was resolved meanwhile")
    func down() async throws {
        try await withNotifyScratch { scratch in
            let port = try WebReceiver.freePort()
            var manager = try await Alertmanager(scratch, port: port, storage: "one")
            let delivery = try Delivery(receiver(port), scratch)
            delivery.tell([alert("stays", ago: 60), alert("goes", ago: 60)])
            try await wait(until: "both", deadline: .seconds(20)) {
                try await manager.containers() == ["goes", "stays"]
            }
            try await manager.end()
            delivery.tell([alert("comes", ago: 1), alert("goes", .resolved)])
            try await wait(until: "the courier to fail", deadline: .seconds(20)) {
                delivery.courier.standing != .well
            }
            // It has forgotten everything: what fired all the time must be told again.
            manager = try await Alertmanager(scratch, port: port, storage: "two")
            try await wait(until: "what fires", deadline: .seconds(30)) {
                try await manager.containers() == ["comes", "stays"]
            }
            try await wait(until: "an empty queue") { delivery.store.waiting == 0 }
            #expect(try await manager.containers() == ["comes", "stays"])
            try await delivery.stop()
            try await manager.end()
        }
    }

    @Test("an alert is kept alive by being told again, and ends by itself when that stops")
    func validity() async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            let delivery = try Delivery(
                Receiver(
                    name: "am",
                    kind: .alertmanager(Receiver.Endpoint(address: .url("http://127.0.0.1:\(hook.port)"))),
                    repeatInterval: .seconds(100)), scratch)
            delivery.tell([alert("a")])
            try await wait(until: "the alert") { hook.requests.count == 1 }
            let request = try #require(hook.requests.first)
            #expect(request.line == "POST /api/v2/alerts HTTP/1.1")
            let ends = try #require(request.alerts.first?["endsAt"] as? String)
            let formatter = ISO8601DateFormatter()
            formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
            let left = try #require(formatter.date(from: ends)).timeIntervalSinceNow
            #expect((380...401).contains(left), "four times the interval")
            try await delivery.stop()
        }
    }
}
