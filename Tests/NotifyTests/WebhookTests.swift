import Foundation
import Journal
import Settings
import Testing
import UsageTestKit
import Wire

@testable import Notify

@Suite("webhooks")
struct WebhookTests {
    /// Names a container may have, or the feed may tell.
    static let hostile = [
        "plain", "two\nlines", "\u{1B}[2J\u{1B}]0;title\u{7}", "quote\"and\\back", "\u{202E}right to left",
        "invalid \u{FFFD} byte", "nul \u{0} byte", "tab\tand\r\n", "emoji 🐳", "<script>&amp;",
    ]

    @Test("the body is what Alertmanager sends, with every name as it is")
    func body() async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            let delivery = try Delivery(.webhook(hook), scratch)
            let alerts = Self.hostile.enumerated().map { index, name in
                Samples.alert(
                    "c\(index)", since: index, name: name,
                    top: [PathGrowth(path: "/log \(name)", growthBytes: 7)])
            }
            delivery.tell(alerts)
            try await wait(until: "every alert") { hook.alerts.count == alerts.count }
            let body = try #require(hook.requests.first).object
            #expect(hook.requests[0].headers["content-type"] == "application/json")
            #expect(
                Set(body.keys) == [
                    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels",
                    "commonLabels",
                    "commonAnnotations", "externalURL", "alerts",
                ])
            #expect(body["version"] as? String == "4")
            #expect(body["status"] as? String == "firing")
            #expect(body["receiver"] as? String == "hook")
            #expect(body["groupLabels"] as? [String: String] == ["alertname": "grow"])
            #expect((body["commonLabels"] as? [String: String])?["alertname"] == "grow")
            for (posted, alert) in zip(hook.alerts, alerts) {
                #expect(
                    Set(posted.keys) == [
                        "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL",
                        "fingerprint",
                    ])
                let labels = posted["labels"] as? [String: String]
                #expect(
                    labels == [
                        "alertname": "grow", "severity": "warning", "instance": "host-1", "engine": "docker",
                        "store": "/var/lib/docker", "container": alert.container,
                        "container_id": alert.containerID,
                        "image": "shop:1",
                    ])
                let annotations = posted["annotations"] as? [String: String]
                #expect(annotations?["summary"] == alert.message)
                #expect(annotations?["growing_paths"] == "7\t/log \(alert.container)")
                #expect(posted["endsAt"] as? String == "0001-01-01T00:00:00Z")
                #expect((posted["fingerprint"] as? String)?.count == 16)
            }
            try await delivery.stop()
        }
    }

    @Test(
        "whatever goes wrong is tried again until it goes well, told once, and nothing is lost",
        arguments: ["down", "500", "429", "redirect", "nothing", "half", "silence"])
    func failing(how: String) async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            switch how {
            case "down": hook.goDown()
            case "500": hook.answer(.status(500, body: "broken \u{1B}[31m"))
            case "429": hook.answer(.status(429, fields: ["Retry-After: 1"]))
            case "redirect": hook.answer(.status(302, fields: ["Location: \(hook.url)/elsewhere"]))
            case "nothing": hook.answer(.nothing)
            case "half": hook.answer(.half)
            default: hook.answer(.silence)
            }
            let delivery = try Delivery(.webhook(hook, timeout: .seconds(1)), scratch)
            let first = [Samples.alert("a", since: 1), Samples.alert("b", since: 2)]
            delivery.tell(first)
            let failing = RecordKind.deliveryFailing.messageID
            try await wait(until: "the failure to be told") { delivery.log.count(failing) == 1 }
            delivery.tell([Samples.alert("a", .resolved, since: 3)])
            if how != "down" {
                try await wait(until: "another try") { hook.requests.count >= 2 }
                #expect(hook.requests.allSatisfy { $0.line.contains(" /hook ") })
            }
            #expect(delivery.store.waiting == 3)
            if how == "redirect" {
                #expect(delivery.log.lines.contains { $0.message.contains("redirects are not followed") })
            }
            #expect(!delivery.log.lines.contains { $0.message.contains("\u{1B}") })
            if how == "down" { try hook.comeBack() }
            hook.forget()
            hook.answer(.status(200))
            try await wait(until: "everything to be delivered", deadline: .seconds(20)) {
                delivery.store.waiting == 0
            }
            // A request that was under way when the answer changed may have been answered either way.
            let told = Set(hook.alerts.map(Samples.transition))
            #expect(told == Set((first + [Samples.alert("a", .resolved, since: 3)]).map(Samples.transition)))
            try await wait(until: "the recovery to be told") {
                delivery.log.count(RecordKind.deliveryRecovered.messageID) == 1
            }
            #expect(delivery.log.count(failing) == 1)
            try await delivery.stop()
        }
    }

    @Test("an answer without end is not read to its end, and counts by its status")
    func endless() async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            hook.answer(.endless)
            let delivery = try Delivery(.webhook(hook), scratch)
            delivery.tell([Samples.alert("a", since: 1)])
            try await wait(until: "the delivery") { delivery.store.waiting == 0 }
            delivery.tell([Samples.alert("a", .resolved, since: 2)])
            try await wait(until: "the next") { delivery.store.waiting == 0 }
            #expect(hook.requests.count == 2)
            try await delivery.stop()
        }
    }

    @Test("an alert that the receiver refuses is given up alone, and said so")
    func refused() async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            hook.goDown()
            hook.answer { request in
                let isPoison = request.alerts.contains {
                    ($0["labels"] as? [String: String])?["container"] == "poison"
                }
                return isPoison ? .status(400, body: "cannot parse") : .status(200)
            }
            let delivery = try Delivery(.webhook(hook), scratch)
            delivery.tell([
                Samples.alert("a", since: 1), Samples.alert("poison", since: 2), Samples.alert("b", since: 3),
            ])
            try await wait(until: "a failure") {
                delivery.log.count(RecordKind.deliveryFailing.messageID) == 1
            }
            try hook.comeBack()
            try await wait(until: "an empty queue", deadline: .seconds(20)) { delivery.store.waiting == 0 }
            // Those that were sent with it were sent again alone.
            let alone = hook.requests.filter { $0.alerts.count == 1 }.flatMap(\.alerts).map(
                Samples.transition)
            #expect(
                Set(alone)
                    == Set(
                        [
                            Samples.alert("a", since: 1), Samples.alert("poison", since: 2),
                            Samples.alert("b", since: 3),
                        ]
                        .map(Samples.transition)))
            let dropped = delivery.log.lines.filter {
                $0.metadata["message_id"] == RecordKind.noticesDropped.messageID
            }
            #expect(dropped.count == 1)
            #expect(dropped.first?.metadata["reason"]?.contains("cannot parse") == true)
            try await delivery.stop()
        }
    }

    @Test("token, headers and address come from where the configuration says, and a new token counts at once")
    func secrets() async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            let token = try scratch.write("one\n", to: "token")
            let receiver = Receiver(
                name: "hook",
                kind: .webhook(
                    Receiver.Endpoint(
                        address: .file(.path(try scratch.write(hook.url + "?key=secret\n", to: "url"))),
                        headers: [Receiver.Header(name: "X-Team", value: "storage")],
                        bearerToken: .path(token))))
            let delivery = try Delivery(receiver, scratch)
            delivery.tell([Samples.alert("a", since: 1)])
            try await wait(until: "the first") { hook.requests.count == 1 }
            try scratch.write("two", to: "token")
            delivery.tell([Samples.alert("b", since: 1)])
            try await wait(until: "the second") { hook.requests.count == 2 }
            #expect(hook.requests.map { $0.headers["authorization"] } == ["Bearer one", "Bearer two"])
            #expect(hook.requests.allSatisfy { $0.headers["x-team"] == "storage" })
            #expect(hook.requests.allSatisfy { $0.line == "POST /hook?key=secret HTTP/1.1" })

            try FileManager.default.removeItem(atPath: token)
            delivery.tell([Samples.alert("c", since: 1)])
            try await wait(until: "the failure to be told") {
                delivery.log.count(RecordKind.deliveryFailing.messageID) == 1
            }
            #expect(hook.requests.count == 2, "nothing is sent without its token")
            #expect(delivery.log.lines.contains { $0.metadata["reason"]?.contains(token) == true })
            #expect(!delivery.log.lines.contains { $0.message.contains("key=secret") })
            try await delivery.stop()
        }
    }

    @Test("a receiver that is down holds up no other")
    func apart() async throws {
        try await withNotifyScratch { scratch in
            let daemon = try ScriptedDaemon(scratch)
            let slow = try WebReceiver()
            let quick = try WebReceiver()
            slow.answer(.silence)
            let notify = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: """
                        - {name: slow, kind: webhook, url: "\(slow.url)", timeout: 60s}
                        - {name: quick, kind: webhook, url: "\(quick.url)"}
                    """)
            try await notify.start()
            daemon.tell([Samples.alert("a", since: 1)])
            try await wait(until: "the slow one to hang") { slow.requests.count == 1 }
            for second in 2...20 {
                daemon.tell([Samples.alert("c\(second)", since: second)])
                try await wait(until: "alert \(second)") { quick.alerts.count == second }
            }
            #expect(slow.requests.count == 1)
            #expect(try await notify.terminate() == 0, "it ends though a request hangs")
            daemon.end()
        }
    }

    @Test("an alert that goes on firing is told again after the interval, and its end stops that")
    func again() async throws {
        try await withNotifyScratch { scratch in
            let hook = try WebReceiver()
            var receiver = Receiver.webhook(hook)
            receiver.repeatInterval = .seconds(1)
            let delivery = try Delivery(receiver, scratch)
            let alert = Samples.alert("a", since: 1)
            delivery.tell([alert])
            try await wait(until: "three tellings", deadline: .seconds(20)) { hook.requests.count >= 3 }
            #expect(Set(hook.alerts.map(Samples.transition)) == [Samples.transition(alert)])
            delivery.tell([Samples.alert("a", .resolved, since: 2)])
            try await wait(until: "the end") { hook.alerts.last?["status"] as? String == "resolved" }
            #expect(delivery.store.firing(deliveredBefore: .max).isEmpty)
            try await delivery.stop()
        }
    }
}
