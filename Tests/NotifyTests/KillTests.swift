import Foundation
import Testing
import UsageTestKit
import Wire

@Suite("the built client, killed and flooded")
struct KillTests {
    @Test(
        "killed at any moment, it loses no transition",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func kills(seed: UInt64) async throws {
        try await withNotifyScratch { scratch in
            var random = SeededGenerator(seed: seed)
            let daemon = try ScriptedDaemon(scratch)
            let hook = try WebReceiver()
            let notify = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: h, kind: webhook, url: \"\(hook.url)\"}\n")
            var all: [String] = []
            let rounds = 12
            for round in 0..<rounds {
                try await notify.start()
                // What is told while nobody listens, and what is told while somebody does.
                var before = 0
                for part in 0..<2 {
                    if part == 1 {
                        try await wait(until: "a start") {
                            notify.count("delivering the alerts") == round + 1
                        }
                    }
                    before = size(scratch("notify/h.queue"))
                    let alerts = (0..<30).map { Samples.alert("c\(round)-\(part)-\($0)", since: round) }
                    all += alerts.map(Samples.transition)
                    for alert in alerts { daemon.tell([alert]) }
                }
                if Bool.random(using: &random) {
                    hook.answer(Bool.random(using: &random) ? .status(503) : .nothing)
                }
                // Thirty alerts take more; a queue that was written anew may be smaller than before.
                let end = before + Int.random(in: 0..<3_000, using: &random)
                try await wait(until: "the queue to change, seed \(seed)") {
                    let now = size(scratch("notify/h.queue"))
                    return now >= end || now < before
                }
                try await notify.kill()
                hook.answer(.status(200))
            }
            try await notify.start()
            // Every transition may have come before the last kill, and a signal before the start ends it otherwise.
            try await wait(until: "the last start") {
                notify.count("delivering the alerts") == rounds + 1
            }
            try await wait(until: "every transition, seed \(seed)", deadline: .seconds(30)) {
                Set(hook.alerts.map(Samples.transition)) == Set(all)
            }
            #expect(all.count == 60 * rounds)
            let files = try FileManager.default.contentsOfDirectory(atPath: scratch("notify")).sorted()
            #expect(Set(files).isSubset(of: ["h.queue", "h.queue.new", "lock"]))
            #expect(try await notify.terminate() == 0)
            daemon.end()
        }
    }

    private func size(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    /// Alerts of each container: three times as many in all as the queue takes, or ten times.
    private static let changes = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] == nil ? 60 : 200

    @Test(
        "more alerts than the queue takes, with the receiver down, leave it bounded, and the last state of each is delivered"
    )
    func flood() async throws {
        try await withNotifyScratch { scratch in
            let daemon = try ScriptedDaemon(scratch)
            let hook = try WebReceiver()
            hook.goDown()
            let notify = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: h, kind: webhook, url: \"\(hook.url)\"}\n")
            try await notify.start()
            try await wait(until: "a start") { notify.count("delivering the alerts") == 1 }
            let containers = 500
            let last = try await onThread {
                var last: [String: Alert] = [:]
                for step in 0..<Self.changes {
                    let alerts = (0..<containers).map { index in
                        Samples.alert("c\(index)", step % 2 == 0 ? .firing : .resolved, since: step)
                    }
                    for alert in alerts { last[alert.container] = alert }
                    daemon.tell(alerts)
                }
                return last
            }
            // The last of all is delivered after all that came before it.
            daemon.tell([Samples.alert("marker", since: 1000)])
            try await wait(until: "drops to be told", deadline: .seconds(60)) {
                notify.count("were dropped") >= 1
            }
            let queue = URL(fileURLWithPath: scratch("notify/h.queue"))
            try await wait(until: "the last to be in the queue", deadline: .seconds(120)) {
                (try? Data(contentsOf: queue))?.range(of: Data("\"marker\"".utf8)) != nil
            }
            try hook.comeBack()
            try await wait(until: "the last state of each", deadline: .seconds(120)) {
                var told: [String: String] = [:]
                for alert in hook.alerts {
                    told[(alert["labels"] as? [String: String])?["container"] ?? ""] = Samples.transition(
                        alert)
                }
                return told.count == containers + 1
                    && last.allSatisfy { told[$0.key] == Samples.transition($0.value) }
            }
            #expect(hook.alerts.count <= 20_000)
            #expect(size(queue.path) < 40 << 20)
            #expect(try await notify.terminate() == 0)
            daemon.end()
        }
    }
}
