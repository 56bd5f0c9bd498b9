import Foundation
import Testing
import Wire

@testable import UsageClient

@Suite("doctor's rules and text")
struct DoctorTests {
    private static let reasonWatches =
        "inotify watches are used up; raise the sysctl fs.inotify.max_user_watches"
    private static let reasonInstances =
        "inotify_init1: Too many open files; raise the sysctl fs.inotify.max_user_instances, or LimitNOFILE= of usaged.service"
    private static let reasonFiles = "/s: Too many open files; raise LimitNOFILE= of usaged.service"

    private static let healthy = DoctorFacts(
        time: "2026-11-24T14:02:11.000Z", version: "0.1.0", kernel: "6.12", uid: 998, exact: true,
        watches: .init(
            used: 100, needed: 100, limit: .init(value: 65_536, setting: "fs.inotify.max_user_watches")),
        instances: .init(
            used: 3, needed: 3, limit: .init(value: 128, setting: "fs.inotify.max_user_instances")),
        queue: .init(
            length: 16_384, limit: .init(value: 16_384, setting: "fs.inotify.max_queued_events"), overflows: 0
        ),
        openFiles: .init(used: 80, needed: 258, limit: .init(value: 65_536, setting: "LimitNOFILE=")),
        inodes: .init(used: 500, needed: 500, limit: .init(value: 1_000_000, setting: "")),
        sources: [source(.exact, nil)])

    private static func source(
        _ state: SourceState, _ reason: String?, problems: [SourceProblem] = []
    ) -> Source {
        Source(
            engine: "docker", driver: "overlay2", root: "/var/lib/docker", state: state, reason: reason,
            asOf: "2026-11-24T14:02:11.000Z", watches: 100, problems: problems)
    }

    /// Healthy facts but for one thing, and what is to be found then: the rule and the end of the first command.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let found: [String]
        let command: String?
        let change: @Sendable (inout DoctorFacts) -> Void

        init(
            _ name: String, _ found: [String], _ command: String? = nil,
            _ change: @escaping @Sendable (inout DoctorFacts) -> Void
        ) {
            (testDescription, self.found, self.command, self.change) = (name, found, command, change)
        }
    }

    private static let cases = [
        Case("all is well", []) { _ in },
        Case("converging is no finding", []) { $0.sources = [source(.converging, "is measured")] },
        Case("four fifths of the watches", []) { $0.watches.needed = 52_428 },
        Case("more than four fifths", ["warning watches"], "max_user_watches=131072") {
            $0.watches.needed = 52_429
        },
        Case("more watches needed than allowed", ["problem watches"], "max_user_watches=262144") {
            $0.watches.needed = 70_000
        },
        Case("a layer polled for want of watches", ["problem watches"], "max_user_watches=131072") {
            $0.sources = [source(.polling, reasonWatches)]
        },
        Case("the namespace's limit", ["problem watches"], "-w user.max_inotify_watches=65536") {
            $0.watches = .init(
                used: 5, needed: 25, limit: .init(value: 8, setting: "user.max_inotify_watches"))
        },
        Case("limits that cannot be read", ["problem watches"], "fs.inotify.max_user_watches=65536") {
            ($0.watches.limit, $0.instances.limit, $0.queue.limit, $0.openFiles.limit) = (nil, nil, nil, nil)
            $0.containers = [.init(root: "/r", id: "c", name: "web", state: .polling, reason: reasonWatches)]
        },
        Case(
            "the configuration's watches", ["problem watch-budget"],
            "{watch_budget: 1024}' | sudo tee /etc/usaged/conf.d/60-watch-budget.yaml"
        ) {
            $0.watchBudget = .init(value: 64, setting: "tracking.watch_budget")
            $0.sources = [source(.polling, "the watches of tracking.watch_budget are used up")]
        },
        Case("no instance", ["problem instances"], "max_user_instances=256") {
            $0.sources = [source(.polling, reasonInstances)]
        },
        Case("fewer instances allowed than needed", ["problem instances"], "max_user_instances=256") {
            $0.instances.limit?.value = 2
        },
        Case("a queue that ran over", ["warning queue"], "max_queued_events=65536") {
            $0.queue.overflows = 3
        },
        Case("a queue that may be longer by now", ["warning queue"], "restart usaged.service") {
            $0.queue.overflows = 1
            $0.queue.limit?.value = 100_000
        },
        Case("few open files", ["warning open-files"], "usaged.service.d") {
            $0.openFiles.limit?.value = 256
        },
        Case("open files used up", ["problem open-files"], "usaged.service.d") {
            $0.sources = [source(.stale, reasonFiles)]
        },
        Case("descriptors lent", ["problem open-files"], "usaged.service.d") { $0.openFilesLent = 1 },
        Case("memory used up", ["problem memory"]) {
            $0.sources = [source(.polling, "it has more than the 9 files that there is memory for")]
        },
        Case("memory nearly used up", ["warning memory"]) { $0.inodes.used = 800_001 },
        Case("an old kernel", ["problem kernel"]) {
            $0.silences = ["Linux 6.1 tells nothing of data written through overlayfs; 6.5 and later do"]
            $0.sources = [source(.polling, $0.silences[0])]
        },
        Case("a store that is not permitted", ["problem store"], "usaged.service") {
            $0.sources = [source(.stale, "permission denied; the daemon needs to be root")]
        },
        Case("a damaged store beside an explained one", ["problem store", "problem watches"]) {
            $0.sources = [source(.damaged, "/x: not JSON"), source(.polling, reasonWatches)]
        },
        Case("polling for a reason of its own", ["problem store"]) {
            $0.sources = [source(.polling, "no events on this file system")]
        },
        Case("no store", ["problem store"], "50-local.yaml") { $0.sources = [] },
        Case("stores that are yet to be read", []) {
            ($0.sources, $0.reasons) = ([], ["the stores are being read for the first time"])
        },
        Case("no capability to look everywhere", ["problem capability"], "CapabilityBoundingSet") {
            $0.missingCapabilities = ["CAP_DAC_READ_SEARCH"]
        },
        Case("a wrong configuration", ["problem configuration"], "--check-config") {
            $0.configurationProblem = "/etc/usaged/usaged.yaml:3:1: alerts: not a list"
        },
    ]

    @Test("each fault is found, alone, with the command that mends it", arguments: cases)
    func rule(one: Case) throws {
        var facts = Self.healthy
        one.change(&facts)
        let findings = DoctorRules.findings(facts)
        #expect(findings.map { "\($0.severity) \($0.id)" } == one.found)
        if let command = one.command {
            #expect(findings.first?.commands.first?.contains(command) == true, "\(findings)")
        }
        for finding in findings {
            #expect(!finding.what.isEmpty && !finding.why.isEmpty)
            #expect(finding.what.hasSuffix("."))
        }
    }

    @Test("problems come before warnings")
    func order() {
        var facts = Self.healthy
        facts.queue.overflows = 1
        facts.inodes.used = 900_000
        facts.configurationProblem = "wrong"
        #expect(DoctorRules.findings(facts).map(\.severity) == [.problem, .warning, .warning])
    }

    @Test("a setting that the other side made up is in no command")
    func hostileSetting() {
        var facts = Self.healthy
        facts.watches.needed = 100_000
        facts.watches.limit?.setting = "x=1; rm -rf /"
        facts.watchBudget = .init(value: .max, setting: "$(reboot)")
        let findings = DoctorRules.findings(facts)
        #expect(findings.map(\.id) == ["watches"])
        #expect(findings.flatMap(\.commands) == [])
        facts.watches.needed = .max
        facts.sources = [Self.source(.polling, "tracking.watch_budget")]
        #expect(DoctorRules.findings(facts).count == 2)
    }

    @Test("the text on a terminal, and commands uncut")
    func text() {
        var facts = Self.healthy
        facts.watches.needed = 70_000
        facts.exact = false
        facts.configurationProblem = "\u{1B}[2Jline\nof a file"
        #expect(
            Render.doctor(DoctorReport(facts), RenderOptions(width: 80, zone: .utc)) == """
                usaged 0.1.0 on Linux 6.12, user 998  not exact

                LIMIT OF           USED  NEEDED  ALLOWED
                watches             100   70000    65536
                inotify instances     3       3      128
                open files           80     258    65536
                files in memory     500     500  1000000

                event queue of 16384 events ran over 0 times

                2 findings

                problem: watches
                  Watches are used up: 70000 are needed, 65536 are allowed.
                  Each directory of a writable layer takes one. A layer without is looked at in
                  intervals only, and no answer is exact. The daemon takes a higher limit up by
                  itself. Each watch costs about 1 KiB of kernel memory, once it is taken.
                    sudo sysctl -w fs.inotify.max_user_watches=262144
                    echo 'fs.inotify.max_user_watches = 262144' | sudo tee -a /etc/sysctl.d/50-usaged.conf

                problem: configuration
                  The configuration is wrong, and the one before is in force.
                  \\x1b[2Jline
                  of a file
                  Alert rules that were changed since are not in force. Mend it, check it, and
                  have it read again.
                    usaged --check-config
                    sudo systemctl reload usaged.service

                """)
        #expect(
            Render.doctor(DoctorReport(Self.healthy), RenderOptions(width: nil, zone: .utc)).hasSuffix(
                "\nnothing found that keeps figures from being exact\n"))
    }

    @Test("no daemon and no permission are findings with their own advice")
    func noAnswer() {
        let gone = DoctorReport(ClientError.noSocket("/run/x.sock"))
        #expect(gone.findings.map(\.id) == ["daemon"])
        #expect(Render.doctor(gone, RenderOptions()).contains("sudo systemctl start usaged.socket"))
        let closed = DoctorReport(ClientError.notPermitted("/run/x.sock"))
        #expect(closed.findings.map(\.id) == ["permission"])
        #expect(Render.doctor(closed, RenderOptions()).contains("sudo"))
    }
}
