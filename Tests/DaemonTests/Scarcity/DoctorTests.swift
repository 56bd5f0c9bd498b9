import Foundation
import Testing
import UsageTestKit
import Wire

@Suite("usage-client doctor against a daemon that lacks something")
struct DoctorTests {
    private struct Report: Decodable {
        struct Finding: Decodable {
            var id: String
            var commands: [String]
        }

        var schema: Int
        var findings: [Finding]
        var facts: DoctorFacts?
    }

    private func report(_ daemon: UsagedProcess, status: Int32) async throws -> Report {
        let result = try await daemon.query.client(["doctor", "--json"])
        #expect(result.status == status, "\(result)")
        return try WireCoding.decode(Report.self, from: Data(result.out.utf8))
    }

    @Test(
        "too few watches are found with the need and the sysctl line, and nothing once the limit is raised",
        .enabled(if: ScarceKernel.canUnshare, "it needs user namespaces"))
    func watches() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(
                ["plain=\(world.root)"], configuration: PlainWorld.configuration,
                launcher: ScarceKernel.launcher(watches: 8)
            ) { daemon in
                _ = try await world.polled("many", because: "max_user_watches", daemon)
                let short = try await report(daemon, status: 1)
                #expect(short.findings.map(\.id) == ["watches"])
                #expect(
                    short.findings.first?.commands.first == "sudo sysctl -w user.max_inotify_watches=65536")
                #expect(short.facts?.watches.needed == PlainWorld.allDirectories)
                #expect(short.facts?.watches.limit?.value == 8)
                #expect((short.facts?.watches.used ?? 9) <= 8)
                let text = try await daemon.query.client(["doctor"])
                #expect(text.status == 1)
                #expect(
                    text.out.contains("\(PlainWorld.allDirectories) are needed, 8 are allowed"), "\(text)")

                try await ScarceKernel.set(of: daemon)
                _ = try await daemon.query.exactStatus()
                let well = try await report(daemon, status: 0)
                #expect(well.findings.isEmpty)
                #expect(well.facts?.watches.used == PlainWorld.allDirectories)
                #expect(well.facts?.watches.needed == PlainWorld.allDirectories)
                #expect(well.facts?.instances.used == 3)
                let open = try FileManager.default.contentsOfDirectory(
                    atPath: "/proc/\(ScarceKernel.processID(daemon))/fd"
                ).count
                // A connection comes and goes.
                #expect(abs((well.facts?.openFiles.used ?? 0) - open) <= 2)
                #expect(try await daemon.query.client(["doctor"]).status == 0)
            }
        }
    }

    @Test("each other shortage that the daemon tells is found by its name")
    func others() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try world.addDirectories(50)
            let configuration = PlainWorld.smallWatchBudget
            try await withDaemon(["plain=\(world.root)"], configuration: configuration) { daemon in
                _ = try await world.polled("many", because: "tracking.watch_budget", daemon)
                #expect(try await report(daemon, status: 1).findings.map(\.id) == ["watch-budget"])
                try await ScarceKernel.set(openFiles: 200, of: daemon)
                try daemon.directory.write("alerts: nonsense\n", to: "usaged.yaml")
                daemon.signal(SIGHUP)
                try await wait(until: "the finding of the configuration") {
                    try await report(daemon, status: 1).findings.map(\.id)
                        == ["watch-budget", "configuration", "open-files"]
                }
                try daemon.directory.write(configuration, to: "usaged.yaml")
                daemon.signal(SIGHUP)
                try await wait(until: "its end") {
                    try await report(daemon, status: 1).findings.map(\.id) == ["watch-budget", "open-files"]
                }
            }
        }
    }

    @Test(
        "without an instance the finding is of instances and not of open files",
        .enabled(if: ScarceKernel.canUnshare, "it needs user namespaces"))
    func instances() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(
                ["plain=\(world.root)"], configuration: PlainWorld.configuration,
                launcher: ScarceKernel.launcher(instances: 0)
            ) { daemon in
                _ = try await world.polled("many", because: "max_user_instances", daemon)
                let found = try await report(daemon, status: 1)
                #expect(found.findings.map(\.id) == ["instances"])
                #expect(found.facts?.instances.used == 0)
                #expect(
                    found.findings.first?.commands.first == "sudo sysctl -w user.max_inotify_instances=256")
            }
        }
    }

    @Test("no daemon, and a store that is not there, are findings; the statuses are 3 and 1")
    func absent() async throws {
        try await withScratch { scratch in
            let root = scratch("nothing")
            try await withDaemon(["docker=\(root)"]) { daemon in
                let stale = try await report(daemon, status: 1)
                #expect(stale.findings.map(\.id) == ["store"])
                #expect(stale.facts?.sources.map(\.root) == [root])
                #expect(try await daemon.terminate() == 0)
                let gone = try await report(daemon, status: 3)
                #expect(gone.findings.map(\.id) == ["daemon"])
                #expect(gone.facts == nil)
            }
        }
    }
}
