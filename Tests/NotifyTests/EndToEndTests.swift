import Foundation
import Testing
import UsageTestKit
import Wire

/// The built daemon and the built client, on a store that is written to.
@Suite("alerts of the built daemon, delivered by the built client")
struct EndToEndTests {
    static let rules = """
        alerts:
          - name: large
            kind: size
            limit: 200kB
            clear: 100kB

        """

    private func write(_ bytes: Int, to path: String) throws {
        try Data(repeating: 0x61, count: bytes).write(to: URL(fileURLWithPath: path))
    }

    private func states(_ hook: WebReceiver) -> [String] {
        hook.alerts.map { alert in
            "\((alert["labels"] as? [String: String])?["container"] ?? "") \(alert["status"] as? String ?? "")"
        }
    }

    @Test("an alert reaches webhook and command with all that the daemon tells of it, and so does its end")
    func delivery() async throws {
        try await withNotifyScratch { scratch in
            let store = try scratch.directory("store")
            try scratch.directory("store/web")
            let hook = try WebReceiver()
            let script = try scratch.write(
                "#!/bin/sh\ncat >> \(scratch("stdin"))\nenv | grep ^USAGED_ | sort >> \(scratch("env"))\n",
                to: "alert.sh")
            try await Command.output(["chmod", "755", script])
            let daemon = try await UsagedProcess.start(stores: ["plain=\(store)"], configuration: Self.rules)
            let notify = try NotifyProcess(
                scratch, socket: daemon.query.socket,
                receivers: """
                        - name: hook
                          kind: webhook
                          url: \(hook.url)
                        - name: script
                          kind: command
                          command: [\(script)]
                    """)
            try await notify.start()
            try write(400_000, to: "\(store)/web/spill")
            try await wait(until: "the alert at the webhook", deadline: .seconds(20)) {
                states(hook) == ["web firing"]
            }
            let told = try #require(try await daemon.query.client(AlertList.self, "alerts").alerts.first)
            let posted = try #require(hook.alerts.first)
            let labels = try #require(posted["labels"] as? [String: String])
            #expect(labels["alertname"] == "large")
            #expect(labels["container_id"] == told.containerID)
            #expect(labels["store"] == store)
            #expect(labels["engine"] == "plain")
            #expect(labels["severity"] == "warning")
            #expect(posted["startsAt"] as? String == told.since)
            let annotations = try #require(posted["annotations"] as? [String: String])
            #expect(annotations["value_bytes"] == String(told.valueBytes))
            #expect(annotations["limit_bytes"] == "200000")
            #expect(annotations["summary"] == told.message)

            try write(0, to: "\(store)/web/spill")
            try await wait(until: "the end at the webhook", deadline: .seconds(20)) {
                states(hook) == ["web firing", "web resolved"]
            }
            let ended = try #require(hook.alerts.last)
            #expect(ended["fingerprint"] as? String == posted["fingerprint"] as? String)
            #expect(ended["startsAt"] as? String == told.since)

            let lines = try await wait(for: "both alerts at the command", deadline: .seconds(20)) {
                let lines = try String(contentsOfFile: scratch("stdin"), encoding: .utf8).split(
                    separator: "\n")
                return lines.count == 2 ? lines : nil
            }
            let first = try WireCoding.decode(Alert.self, from: Data(lines[0].utf8))
            #expect(first.since == told.since && first.rule == "large" && first.state == .firing)
            #expect(try WireCoding.decode(Alert.self, from: Data(lines[1].utf8)).state == .resolved)
            let variables = try await wait(for: "the variables of both") {
                let text = try String(contentsOfFile: scratch("env"), encoding: .utf8)
                // The last of the sorted variables.
                return text.components(separatedBy: "USAGED_VALUE_BYTES=").count == 3 ? text : nil
            }
            for expected in [
                "USAGED_RULE=large", "USAGED_CONTAINER=web", "USAGED_STATE=firing", "USAGED_STATE=resolved",
                "USAGED_LIMIT_BYTES=200000", "USAGED_SINCE=\(told.since)", "USAGED_RECEIVER=script",
            ] { #expect(variables.contains(expected + "\n"), "\(variables)") }
            #expect(try await notify.terminate() == 0)
            try await daemon.remove()
        }
    }

    @Test(
        "a container whose name is made to do harm reaches both as valid JSON, with the name that the daemon tells"
    )
    func hostile() async throws {
        try await withNotifyScratch { scratch in
            let store = try scratch.directory("store")
            let names = ["new\nline", "\u{1B}[2Jcleared", "quote\"'$(id)`id`", "\u{202E}turned", "\u{FFFD}"]
            for name in names { try scratch.directory("store/\(name)") }
            let hook = try WebReceiver()
            let script = try scratch.write("#!/bin/sh\nexec cat >> \(scratch("stdin"))\n", to: "alert.sh")
            try await Command.output(["chmod", "755", script])
            let daemon = try await UsagedProcess.start(stores: ["plain=\(store)"], configuration: Self.rules)
            let notify = try NotifyProcess(
                scratch, socket: daemon.query.socket,
                receivers: """
                        - {name: hook, kind: webhook, url: "\(hook.url)"}
                        - {name: script, kind: command, command: [\(script)]}
                    """)
            try await notify.start()
            for name in names { try write(400_000, to: "\(store)/\(name)/spill") }
            try await wait(until: "every alert", deadline: .seconds(20)) { hook.alerts.count == names.count }
            let lines = try await wait(for: "every alert at the command", deadline: .seconds(20)) {
                let lines = try String(contentsOfFile: scratch("stdin"), encoding: .utf8).split(
                    separator: "\n")
                return lines.count == names.count ? lines : nil
            }
            let listed = Set(try await daemon.query.client(AlertList.self, "alerts").alerts.map(\.container))
            #expect(listed.count == names.count)
            let posted = hook.alerts.compactMap { ($0["labels"] as? [String: String])?["container"] }
            #expect(Set(posted) == listed)
            let given = try lines.map { line in
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            }
            #expect(Set(given.compactMap { $0?["container"] as? String }) == listed)
            #expect(!notify.log.contains("\u{1B}"))
            #expect(try await notify.terminate() == 0)
            try await daemon.remove()
        }
    }

    @Test("what fired or was resolved while nobody followed is noticed, and no restart repeats anything")
    func missed() async throws {
        try await withNotifyScratch { scratch in
            let store = try scratch.directory("store")
            for name in ["a", "b", "c"] { try scratch.directory("store/\(name)") }
            let hook = try WebReceiver()
            let daemon = try await UsagedProcess.start(stores: ["plain=\(store)"], configuration: Self.rules)
            let notify = try NotifyProcess(
                scratch, socket: daemon.query.socket,
                receivers: "    - {name: hook, kind: webhook, url: \"\(hook.url)\"}\n")
            try await notify.start()
            try write(400_000, to: "\(store)/a/spill")
            try write(400_000, to: "\(store)/b/spill")
            try await wait(until: "two alerts", deadline: .seconds(20)) {
                states(hook).sorted() == ["a firing", "b firing"]
            }
            #expect(try await notify.terminate() == 0)
            hook.forget()

            try write(0, to: "\(store)/a/spill")
            try write(400_000, to: "\(store)/c/spill")
            try await wait(until: "the daemon to know", deadline: .seconds(20)) {
                let alerts = try await daemon.query.client(AlertList.self, "alerts").alerts
                return Set(alerts.filter { $0.state == .firing }.map(\.container)) == ["b", "c"]
            }
            try await daemon.kill()
            try await notify.start()
            try await wait(until: "the client to miss the daemon") { notify.count("no daemon") == 1 }
            try await daemon.start()
            try await wait(until: "what was missed", deadline: .seconds(20)) {
                states(hook).sorted() == ["a resolved", "c firing"]
            }
            try await daemon.kill()
            try await daemon.start()
            try await notify.kill()
            try await notify.start()
            // Something new comes after whatever might be repeated.
            try write(0, to: "\(store)/b/spill")
            try await wait(until: "the next end", deadline: .seconds(20)) {
                states(hook).sorted() == ["a resolved", "b resolved", "c firing"]
            }
            try await notify.kill()
            try await daemon.remove()
        }
    }
}
