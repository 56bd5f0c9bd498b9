import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

/// The exit statuses of the contract: 2 is wrong usage, which the service manager does not try again; 1 any other
/// failure.
@Suite("the daemon's command line and configuration")
struct CommandLineTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let what: String
        let text: String
        let line: Int
        let names: String
        var testDescription: String { what }
    }

    static let rule = """
        alerts:
          - name: grow
            kind: growth
            limit: 4MB
            window: 1h

        """

    static let wrong = [
        Wrong(what: "a wrong key", text: "log_level: info\nno_such: 1\n", line: 2, names: "no_such"),
        Wrong(what: "a wrong type", text: "alerts: 5\n", line: 1, names: "alerts"),
        Wrong(
            what: "a wrong unit", text: rule.replacingOccurrences(of: "4MB", with: "4parsecs"), line: 4,
            names: "4parsecs"),
        Wrong(
            what: "a rule of an unknown kind", text: rule.replacingOccurrences(of: "growth", with: "mood"),
            line: 3, names: "mood"),
        Wrong(
            what: "a growth rule without a window",
            text: rule.replacingOccurrences(of: "    window: 1h\n", with: ""), line: 2, names: "window"),
        Wrong(
            what: "two rules of one name",
            text: rule
                + rule.split(separator: "\n").dropFirst().joined(
                    separator: "\n") + "\n", line: 6, names: "grow"),
        Wrong(what: "no YAML", text: "tracking:\n  a: [\n", line: 3, names: "usaged.yaml"),
    ]

    private func run(_ scratch: ScratchDirectory, _ arguments: [String]) async throws -> Command.Result {
        try await Command.run([UsagedProcess.executable("usaged")] + arguments, deadline: .seconds(15))
    }

    private func serving(_ scratch: ScratchDirectory, config: String) throws -> [String] {
        [
            "--config", config, "--socket", scratch("s"), "--state", try scratch.directory("state"),
            "--store",
            "plain=\(try scratch.directory("store"))",
        ]
    }

    @Test("a wrong configuration ends with 2 and names file, line and fault", arguments: wrong)
    func wrongConfiguration(wrong: Wrong) async throws {
        try await withScratch { scratch in
            let file = try scratch.write(wrong.text, to: "usaged.yaml")
            for arguments in [
                ["--config", file, "--check-config"], try serving(scratch, config: file),
            ] {
                let result = try await run(scratch, arguments)
                #expect(result.status == 2, "\(result)")
                #expect(result.err.contains("\(file):\(wrong.line)"), "\(result)")
                #expect(result.err.contains(wrong.names), "\(result)")
                #expect(result.out.isEmpty)
            }
            #expect(!FileManager.default.fileExists(atPath: scratch("s")))
        }
    }

    @Test("a wrong drop-in is named by its own file and line")
    func dropIn() async throws {
        try await withScratch { scratch in
            let file = try scratch.write(Self.rule, to: "usaged.yaml")
            let dropIn = try scratch.write("\nlog_level: loud\n", to: "conf.d/50-loud.yaml")
            let result = try await run(scratch, ["--config", file, "--check-config"])
            #expect(result.status == 2)
            #expect(result.err.contains("\(dropIn):2"), "\(result)")
            #expect(result.err.contains("loud"))
        }
    }

    @Test("a right configuration passes the check, with the number of its rules")
    func rightConfiguration() async throws {
        try await withScratch { scratch in
            let file = try scratch.write(Self.rule, to: "usaged.yaml")
            let result = try await run(scratch, ["--config", file, "--check-config"])
            #expect(result.status == 0)
            #expect(result.out.contains("1 alert rule"))
        }
    }

    @Test(
        "wrong arguments end with 2 and are named",
        arguments: [
            ["--no-such-option"], ["--store", "docker"], ["--store", "docker="], ["--store", "nothing=/tmp"],
            ["--store", "=/tmp"], ["stray"], ["--socket"],
        ])
    func wrongArguments(arguments: [String]) async throws {
        try await withScratch { scratch in
            let result = try await run(
                scratch, ["--config", try scratch.write("", to: "usaged.yaml")] + arguments)
            #expect(result.status == 2, "\(result)")
            #expect(result.err.contains(arguments[0]), "\(result)")
        }
    }

    @Test(
        "stores that overlap end with 2, and both are named", arguments: [true, false],
        ["inside", "outside", "twice", "link"])
    func overlap(inConfiguration: Bool, how: String) async throws {
        try await withScratch { scratch in
            let root = try scratch.directory("s1")
            let inner = try scratch.directory("s1/overlay2")
            let link = scratch("link")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: inner)
            let stores =
                switch how {
                case "inside": ["docker=\(root)", "plain=\(inner)"]
                case "outside": ["plain=\(inner)", "docker=\(root)"]
                case "twice": ["docker=\(root)", "docker=\(root)/"]
                default: ["docker=\(root)", "plain=\(link)"]
                }
            let file = try scratch.write(
                inConfiguration ? "stores:\n" + stores.map { "  - \($0)\n" }.joined() : "",
                to: "usaged.yaml")
            for check in [["--check-config"], []] {
                let result = try await run(
                    scratch,
                    ["--config", file, "--socket", scratch("s"), "--state", try scratch.directory("state")]
                        + check + (inConfiguration ? [] : stores.flatMap { ["--store", $0] }))
                #expect(result.status == 2, "\(result)")
                #expect(result.err.split(separator: "\n").count == 1, "\(result)")
                for store in stores { #expect(result.err.contains(store), "\(result)") }
            }
        }
    }

    @Test("stores side by side, and engines of mapped users below an engine's root, do not overlap")
    func noOverlap() async throws {
        try await withScratch { scratch in
            let file = try scratch.write("", to: "usaged.yaml")
            for path in ["s1", "s1-more", "s1/165536.165536"] { try scratch.directory(path) }
            for stores in [
                ["docker=\(scratch("s1"))", "docker=\(scratch("s1/165536.165536"))"],
                ["plain=\(scratch("s1"))", "plain=\(scratch("s1-more"))"],
            ] {
                let result = try await run(
                    scratch, ["--config", file, "--check-config"] + stores.flatMap { ["--store", $0] })
                #expect(result.status == 0, "\(result)")
            }
        }
    }

    @Test("help and version end with 0")
    func help() async throws {
        try await withScratch { scratch in
            for argument in ["--help", "--version"] {
                let result = try await run(scratch, [argument])
                #expect(result.status == 0)
                #expect(result.out.contains("usaged"))
                #expect(result.err.isEmpty)
            }
        }
    }

    @Test(
        "a socket path that is a file, or in no directory, ends with 1 and is named",
        arguments: [true, false])
    func wrongSocket(isFile: Bool) async throws {
        try await withScratch { scratch in
            let config = try scratch.write("", to: "usaged.yaml")
            let socket = isFile ? try scratch.write("mine", to: "s") : scratch("a/b/c/s")
            let result = try await run(
                scratch,
                [
                    "--config", config, "--socket", socket, "--state", try scratch.directory("state"),
                    "--store", "plain=\(try scratch.directory("store"))",
                ])
            #expect(result.status == 1, "\(result)")
            #expect(result.err.contains(socket), "\(result)")
            if isFile { #expect(try String(contentsOfFile: socket, encoding: .utf8) == "mine") }
        }
    }

    @Test("a second daemon on a socket ends with 1, and the first loses neither socket nor state")
    func socketInUse() async throws {
        try await withStore { world in
            let rules = Self.rule.replacingOccurrences(of: "4MB", with: "1MB")
            try await withDaemon(["docker=\(world.root)"], configuration: rules) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                try world.write(3_000_000, to: "spill", in: try world.container("web-1"))
                let alert = try await wait(for: "the alert") { try await query.status().alerts.first }
                try await query.client(["mark", "before"]).expectDone()

                // The same socket and state, but other stores and no rules.
                let second = try await run(
                    world.scratch,
                    [
                        "--config", try world.scratch.write("", to: "second.yaml"), "--socket", daemon.socket,
                        "--state", daemon.stateDirectory, "--store",
                        "plain=\(try world.scratch.directory("plain"))",
                    ])
                #expect(second.status == 1, "\(second)")
                #expect(second.err.contains(daemon.socket), "\(second)")

                #expect(try await query.status().alerts.map(\.since) == [alert.since])
                // What it has kept is still its own.
                try await daemon.kill()
                try await daemon.start()
                let after = try await query.exactStatus()
                #expect(after.alerts.map(\.since) == [alert.since])
                _ = try await query.client(Since.self, "since", "before")
            }
        }
    }

    @Test("SIGHUP puts a changed rule in force and loses no alert and no figure")
    func reload() async throws {
        try await withStore { world in
            let keep = Self.rule.replacingOccurrences(of: "4MB", with: "1MB")
            try await withDaemon(["docker=\(world.root)"], configuration: keep) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                try world.write(3_000_000, to: "spill", in: try world.container("web-1"))
                let alert = try await wait(for: "the alert") { try await query.status().alerts.first }
                // Image layers with files newer than 35 s are measured again for each question.
                let before = try await wait(for: "the image layers to be final", deadline: .seconds(60)) {
                    let first = try await query.exactStatus()
                    let second = try await query.exactStatus()
                    return first.counters.layersMeasured == second.counters.layersMeasured ? second : nil
                }
                let feed = try await FeedRecorder.start(query)

                let new = "  - name: large\n    kind: size\n    limit: 2MB\n    severity: critical\n"
                try daemon.directory.write(keep + new, to: "usaged.yaml")
                daemon.signal(SIGHUP)
                let fired = try await feed.first("the new rule to fire") { $0.alert?.rule == "large" }
                #expect(fired.event.alert?.state == .firing)
                #expect(fired.event.alert?.container == "web-1")

                let list = try await query.client(AlertList.self, "alerts")
                #expect(Set(list.rules) == ["grow", "large"])
                #expect(list.alerts.first { $0.rule == "grow" }?.since == alert.since)
                #expect(list.alerts.first { $0.rule == "grow" }?.state == .firing)
                let after = try await query.exactStatus()
                #expect(after.containerFigures == before.containerFigures)
                #expect(after.imageFigures == before.imageFigures)
                #expect(after.counters.layersMeasured == before.counters.layersMeasured)

                // A rule that is taken out resolves its alert.
                try daemon.directory.write(keep, to: "usaged.yaml")
                daemon.signal(SIGHUP)
                _ = try await feed.first("the removed rule to resolve") {
                    $0.alert?.rule == "large" && $0.alert?.state == .resolved
                }
                let told = feed.arrivals.compactMap(\.event.alert)
                #expect(!told.contains { $0.rule == "grow" })
                #expect(try await query.client(AlertList.self, "alerts").rules == ["grow"])
                try await feed.stop()
            }
        }
    }

    @Test("SIGHUP with a wrong configuration keeps the rules in force and logs file and line")
    func wrongReload() async throws {
        try await withStore { world in
            let rules = Self.rule.replacingOccurrences(of: "4MB", with: "1MB")
            try await withDaemon(["docker=\(world.root)"], configuration: rules) { daemon in
                let query = daemon.query
                _ = try await query.exactStatus()
                try world.write(3_000_000, to: "spill", in: try world.container("web-1"))
                let alert = try await wait(for: "the alert") { try await query.status().alerts.first }

                let file = try daemon.directory.write(
                    rules.replacingOccurrences(of: "1MB", with: "1parsec"), to: "usaged.yaml")
                daemon.signal(SIGHUP)
                try await wait(until: "the complaint in the log") {
                    daemon.log.contains("\(file):4") && daemon.log.contains("1parsec")
                }
                let list = try await query.client(AlertList.self, "alerts")
                #expect(list.rules == ["grow"])
                #expect(list.alerts.map(\.since) == [alert.since])
                #expect(list.alerts.map(\.state) == [.firing])
                #expect(list.alerts.map(\.limitBytes) == [1_000_000])
                #expect(try await query.status().exact)
            }
        }
    }
}

extension Command.Result {
    /// Records a failure unless the command ended with 0.
    func expectDone(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == 0, "\(self)", sourceLocation: sourceLocation)
    }
}
