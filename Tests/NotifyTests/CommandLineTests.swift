import Foundation
import Journal
import Testing
import UsageTestKit

@Suite("the command line of notify")
struct CommandLineTests {
    private func run(_ arguments: [String]) async throws -> Command.Result {
        try await Command.run(
            [UsagedProcess.executable("usage-client"), "notify"] + arguments,
            environment: ["USAGED_LOG": "stderr"],
            deadline: .seconds(30))
    }

    @Test("a wrong configuration, or one without receivers, ends with 2 and says where")
    func configuration() async throws {
        try await withNotifyScratch { scratch in
            let wrong = try scratch.write(
                "notify:\n  receivers:\n    - {name: a, kind: mail}\n", to: "wrong.yaml")
            let result = try await run(["--config", wrong, "--state", scratch("state")])
            #expect(result.status == 2)
            #expect(result.err.contains("\(wrong):3:"), "\(result)")
            let none = try await run([
                "--config", try scratch.write("", to: "none.yaml"), "--state", scratch("state"),
            ])
            #expect(none.status == 2)
            #expect(none.err.contains("notify.receivers"))
            let missing = try await run(["--config", scratch("missing.yaml")])
            #expect(missing.status == 2)
            #expect(missing.err.contains("missing.yaml"))
            #expect(!FileManager.default.fileExists(atPath: scratch("state")))

            let daemon = try await Command.run(
                [UsagedProcess.executable("usaged"), "--check-config", "--config", wrong])
            #expect(daemon.status == 2)
            #expect(daemon.err.contains("\(wrong):3:"), "\(daemon)")
        }
    }

    @Test("the daemon's check takes receivers, and tells how many")
    func check() async throws {
        try await withNotifyScratch { scratch in
            let file = try scratch.write(
                """
                notify:
                  receivers:
                    - {name: a, kind: command, command: [/bin/true]}
                    - {name: b, kind: alertmanager, url: "http://127.0.0.1:9093"}
                """, to: "right.yaml")
            let result = try await Command.run(
                [UsagedProcess.executable("usaged"), "--check-config", "--config", file])
            #expect(result.status == 0, "\(result)")
            #expect(result.out.contains("2 receivers"))
        }
    }

    @Test("a state directory is for one process")
    func lock() async throws {
        try await withNotifyScratch { scratch in
            let daemon = try ScriptedDaemon(scratch)
            let notify = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: a, kind: command, command: [/bin/true]}\n")
            try await notify.start()
            try await wait(until: "a start") { notify.count("delivering the alerts") == 1 }
            let second = try await run(
                ["--config", scratch("notify.yaml"), "--state", scratch("notify"), "--socket", daemon.socket])
            #expect(second.status == 1)
            #expect(second.err.contains("another usage-client notify uses"), "\(second)")
            #expect(try await notify.terminate() == 0)
            daemon.end()
        }
    }

    @Test("a receiver that is not configured any more leaves no queue, and what waited is said to be dropped")
    func removed() async throws {
        try await withNotifyScratch { scratch in
            let daemon = try ScriptedDaemon(scratch)
            let first = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: a, kind: command, command: [/bin/false]}\n")
            try await first.start()
            daemon.tell([Samples.alert("x", since: 1)])
            try await wait(until: "a failure") { first.count("cannot deliver alerts to receiver a") == 1 }
            try await first.terminate()
            let second = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: b, kind: command, command: [/bin/true]}\n")
            try await second.start()
            try await wait(until: "the drop to be told") {
                second.count("1 notices for receiver a were dropped") == 1
            }
            try await wait(until: "the queue of b") {
                try FileManager.default.contentsOfDirectory(atPath: scratch("notify")).sorted() == [
                    "b.queue", "lock",
                ]
            }
            try await second.terminate()
            daemon.end()
        }
    }

    @Test("the service manager hears that it is ready, and at once what becomes of each receiver")
    func serviceManager() async throws {
        try await withNotifyScratch { scratch in
            let manager = try ManagerSocket(scratch("manager"))
            let daemon = try ScriptedDaemon(scratch)
            let hook = try WebReceiver()
            hook.goDown()
            let notify = try NotifyProcess(
                scratch, socket: daemon.socket,
                receivers: "    - {name: hook, kind: webhook, url: \"\(hook.url)\"}\n")
            try await notify.start(environment: ["NOTIFY_SOCKET": scratch("manager")])
            try await manager.hears { $0.hasPrefix("READY=1\n") }
            try await manager.hears { $0 == "STATUS=Following \(daemon.socket); hook: well" }
            daemon.tell([Samples.alert("a", since: 1)])
            try await manager.hears { $0 == "STATUS=Following \(daemon.socket); hook: failing, 1 waiting" }
            try hook.comeBack()
            manager.forget()
            try await manager.hears { $0 == "STATUS=Following \(daemon.socket); hook: well" }
            #expect(try await notify.terminate() == 0)
            try await manager.hears { $0.hasPrefix("STOPPING=1\n") }
            daemon.end()
        }
    }

    @Test("--test tries each receiver once and tells which took it")
    func trial() async throws {
        try await withNotifyScratch { scratch in
            let good = try WebReceiver()
            let bad = try WebReceiver()
            bad.answer(.status(500, body: "no"))
            let file = try scratch.write(
                """
                notify:
                  receivers:
                    - {name: good, kind: webhook, url: "\(good.url)"}
                    - {name: bad, kind: webhook, url: "\(bad.url)"}
                """, to: "trial.yaml")
            let result = try await run(["--test", "--config", file])
            #expect(result.status == 1)
            #expect(
                result.out == "good: delivered\nbad: not delivered: answered with status 500: no\n",
                "\(result)")
            #expect(good.alerts.map { $0["status"] as? String } == ["firing", "resolved"])
            #expect(bad.requests.count == 1)
            let text = try await run(["--test", "--json", "--config", file]).out
            let lines = try text.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            #expect(lines.map { $0?["receiver"] as? String } == ["good", "bad"])
            #expect(lines.map { $0?["delivered"] as? Bool } == [true, false])
        }
    }

    @Test("the client starts without the libraries that notify loads")
    func libraries() async throws {
        let needed = try await Command.output(["ldd", try UsagedProcess.executable("usage-client")])
        #expect(needed.contains("libc.so"))
        for library in ["libcurl", "libsystemd", "libssl"] {
            #expect(!needed.contains(library), "\(library)")
        }
    }

    @Test(
        "in a real journald there is one record of a failure, however often it is tried, and one of its end",
        .enabled(if: JournaledUsaged.isPossible, "needs root and journald"))
    func journal() async throws {
        try await withNotifyScratch { scratch in
            let daemon = try ScriptedDaemon(scratch)
            let hook = try WebReceiver()
            hook.answer(.status(503, body: "later"))
            let file = try scratch.write(
                "notify:\n  receivers:\n    - {name: hook, kind: webhook, url: \"\(hook.url)\"}\n",
                to: "n.yaml")
            let child = try await ChildProcess.start(
                [
                    "unshare", "--mount", "sh", "\(BaseRoot.package)/scripts/with-journald", "sh", "-c",
                    #"echo $$ > "$0"; exec "$@""#, scratch("pid"), UsagedProcess.executable("usage-client"),
                    "notify",
                    "--config", file, "--state", scratch("state"), "--socket", daemon.socket,
                ], output: .capture, error: .capture)
            daemon.tell([Samples.alert("a", since: 1)])
            try await wait(until: "several tries", deadline: .seconds(30)) { hook.requests.count >= 3 }
            hook.answer(.status(200))
            let before = hook.requests.count
            try await wait(until: "the delivery", deadline: .seconds(30)) { hook.requests.count > before }
            try await wait(until: "an empty queue") {
                try String(contentsOfFile: scratch("state/hook.queue"), encoding: .utf8).contains(
                    "delivered\":")
            }
            let pid = try #require(
                pid_t(try String(contentsOfFile: scratch("pid"), encoding: .utf8).filter(\.isNumber)))
            kill(pid, SIGTERM)
            let exit = try await child.ended(within: .seconds(30))
            #expect(exit.status == 0, "\(exit.error)")
            let entries = try exit.output.split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return (object ?? [:]).compactMapValues { $0 as? String }
            }
            let failing = entries.filter { $0["MESSAGE_ID"] == RecordKind.deliveryFailing.messageID }
            #expect(failing.count == 1)
            #expect(failing.first?["USAGED_RECEIVER"] == "hook")
            #expect(failing.first?["USAGED_REASON"]?.contains("503") == true)
            #expect(failing.first?["PRIORITY"] == "4")
            let recovered = entries.filter { $0["MESSAGE_ID"] == RecordKind.deliveryRecovered.messageID }
            #expect(recovered.map { $0["USAGED_WAITING"] } == ["0"])
            daemon.end()
        }
    }
}
