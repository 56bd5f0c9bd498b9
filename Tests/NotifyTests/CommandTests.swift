import Foundation
import Glibc
import Journal
import Settings
import Testing
import UsageTestKit
import Wire

@testable import Notify

@Suite("commands")
struct CommandTests {
    private func script(_ text: String, _ scratch: ScratchDirectory) async throws -> String {
        let path = try scratch.write("#!/bin/sh\n" + text, to: "script.sh")
        try await Command.output(["chmod", "755", path])
        return path
    }

    private func receiver(_ command: [String], timeout: Duration = .seconds(10)) -> Receiver {
        Receiver(name: "script", kind: .command(command), timeout: timeout)
    }

    private func lines(_ path: String) -> [String] {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    @Test("hostile names come as one line of valid JSON, and escaped in the environment")
    func hostile() async throws {
        try await withNotifyScratch { scratch in
            let path = try await script(
                "cat >> \(scratch("stdin"))\nprintf '%s\\0' \"$USAGED_CONTAINER\" \"$1\" \"$2\" >> \(scratch("env"))\n",
                scratch)
            let delivery = try Delivery(
                receiver([path, "$(touch \(scratch("shell")))", "two words"]), scratch)
            let alerts = WebhookTests.hostile.enumerated().map {
                Samples.alert("c\($0.offset)", since: $0.offset, name: $0.element)
            }
            delivery.tell(alerts)
            try await wait(until: "every alert", deadline: .seconds(20)) { delivery.store.waiting == 0 }
            let read = try lines(scratch("stdin")).map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            #expect(read.map { $0["container"] as? String } == WebhookTests.hostile)
            let words = try Data(contentsOf: URL(fileURLWithPath: scratch("env"))).split(
                separator: 0, omittingEmptySubsequences: false
            ).dropLast()
            for (index, word) in words.enumerated() where index % 3 == 0 {
                #expect(
                    !word.contains { $0 < 0x20 || $0 == 0x7F }, "\(String(decoding: word, as: UTF8.self))")
            }
            #expect(String(decoding: words[0], as: UTF8.self) == "plain")
            #expect(String(decoding: words[1], as: UTF8.self) == "$(touch \(scratch("shell")))")
            #expect(String(decoding: words[2], as: UTF8.self) == "two words")
            #expect(!FileManager.default.fileExists(atPath: scratch("shell")), "no shell reads the arguments")
            try await delivery.stop()
        }
    }

    @Test("one that fails is run again until it succeeds; what it says is logged, cut and escaped")
    func failing() async throws {
        try await withNotifyScratch { scratch in
            let path = try await script(
                """
                cat >/dev/null
                echo x >> \(scratch("runs"))
                printf 'cannot \\033[31m reach\\n'
                head -c 100000 /dev/zero | tr '\\0' y
                test -e \(scratch("up"))
                """, scratch)
            let delivery = try Delivery(receiver([path]), scratch)
            delivery.tell([Samples.alert("a", since: 1)])
            try await wait(until: "two runs") { lines(scratch("runs")).count >= 2 }
            #expect(delivery.store.waiting == 1)
            try scratch.write("", to: "up")
            try await wait(until: "the delivery", deadline: .seconds(20)) { delivery.store.waiting == 0 }
            #expect(delivery.log.count(RecordKind.deliveryFailing.messageID) == 1)
            let said = delivery.log.lines.filter { $0.metadata["output"] != nil }
            #expect(said.count == lines(scratch("runs")).count)
            for line in delivery.log.lines {
                #expect(!line.message.contains("\u{1B}"))
                #expect(line.message.utf8.count < 6_000)
            }
            #expect(said.allSatisfy { $0.message.contains("reach") && $0.message.hasSuffix("... (cut)") })
            try await delivery.stop()
        }
    }

    @Test("one that hangs is killed with all that it started, and the alert is kept")
    func hanging() async throws {
        try await withNotifyScratch { scratch in
            let path = try await script(
                """
                trap '' TERM
                sh -c 'trap "" TERM; echo $$ > \(scratch("grandchild")); while :; do sleep 100; done' &
                while :; do sleep 100; done
                """, scratch)
            let delivery = try Delivery(receiver([path], timeout: .seconds(1)), scratch)
            delivery.tell([Samples.alert("a", since: 1)])
            try await wait(until: "the failure", deadline: .seconds(20)) {
                delivery.log.lines.contains { $0.message.contains("took longer than 1 s") }
            }
            #expect(delivery.store.waiting == 1)
            let grandchild = try #require(pid_t(lines(scratch("grandchild")).first ?? ""))
            try await wait(until: "the grandchild to be gone") { kill(grandchild, 0) != 0 }
            try await delivery.stop()
        }
    }

    @Test("one that leaves something running behind, with its output open, is not waited for")
    func daemonising() async throws {
        try await withNotifyScratch { scratch in
            let path = try await script(
                "cat >/dev/null\nsleep 300 &\necho $! >> \(scratch("left"))\n", scratch)
            let delivery = try Delivery(receiver([path], timeout: .seconds(60)), scratch)
            delivery.tell([Samples.alert("a", since: 1)])
            try await wait(until: "the delivery") { delivery.store.waiting == 0 }
            let left = try #require(pid_t(lines(scratch("left")).first ?? ""))
            #expect(kill(left, SIGKILL) == 0, "it runs on")
            try await delivery.stop()
        }
    }

    @Test("one that is not there is a failure that names it")
    func missing() async throws {
        try await withNotifyScratch { scratch in
            let delivery = try Delivery(receiver([scratch("nothing")]), scratch)
            delivery.tell([Samples.alert("a", since: 1)])
            try await wait(until: "the failure") {
                delivery.log.lines.contains {
                    $0.message.contains("cannot start \(scratch("nothing"))")
                        && $0.message.contains("No such file")
                }
            }
            try await delivery.stop()
        }
    }

    @Test("status 65 gives the alert up, with what was said, and the next is delivered")
    func refusing() async throws {
        try await withNotifyScratch { scratch in
            let path = try await script(
                "grep -q id-bad && { echo no such pager; exit 65; }\necho x >> \(scratch("taken"))\n", scratch
            )
            let delivery = try Delivery(receiver([path]), scratch)
            delivery.tell([Samples.alert("bad", since: 1), Samples.alert("good", since: 2)])
            try await wait(until: "an empty queue", deadline: .seconds(20)) { delivery.store.waiting == 0 }
            #expect(lines(scratch("taken")).count == 1)
            let dropped = delivery.log.lines.filter {
                $0.metadata["message_id"] == RecordKind.noticesDropped.messageID
            }
            #expect(dropped.map { $0.metadata["reason"]?.contains("no such pager") } == [true])
            try await delivery.stop()
        }
    }

    @Test(
        "it inherits the environment, but nothing by which it could speak to the service manager, and no descriptor"
    )
    func environment() async throws {
        try await withNotifyScratch { scratch in
            let path = try await script(
                "cat >/dev/null\nenv > \(scratch("env.new"))\nls /proc/$$/fd > \(scratch("fds"))\nmv \(scratch("env.new")) \(scratch("env"))\n",
                scratch)
            let daemon = try ScriptedDaemon(scratch)
            let notify = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: s, kind: command, command: [\(path)]}\n")
            try await notify.start(environment: ["SHOP": "here", "WATCHDOG_PID": "1"])
            daemon.tell([Samples.alert("a", since: 1)])
            try await wait(until: "a run") { FileManager.default.fileExists(atPath: scratch("env")) }
            let variables = lines(scratch("env"))
            #expect(variables.contains("SHOP=here"))
            #expect(variables.contains("USAGED_STATE=firing"))
            #expect(!variables.contains { $0.hasPrefix("WATCHDOG_PID=") || $0.hasPrefix("USAGED_LOG=") })
            // The shell opens its script under a number of its own.
            #expect(Set(lines(scratch("fds"))).subtracting(["0", "1", "2", "10", "255"]).count <= 1)
            try await notify.kill()
            daemon.end()
        }
    }
}
