import Accounting
import Foundation
import Testing
import UsageTestKit
import Wire

@Suite("descriptors used up while the daemon runs")
struct DescriptorScarcityTests {
    /// Processor time that a process has used, in ticks of 10 ms.
    private func processorTicks(_ daemon: UsagedProcess) throws -> Int {
        let text = try ProcessFile.text("/proc/\(ScarceKernel.processID(daemon))/stat")
        let fields = text.drop { $0 != ")" }.split(separator: " ").dropFirst()
        return fields.dropFirst(11).prefix(2).compactMap { Int($0) }.reduce(0, +)
    }

    /// Programs that do nothing but use the processor, as little as others let them.
    private static func spinners(_ count: Int) async throws -> [ChildProcess] {
        var spinners: [ChildProcess] = []
        for _ in 0..<count {
            spinners.append(
                try await ChildProcess.start(
                    ["nice", "-n", "5", "sh", "-c", "while :; do :; done"], diesWithParent: true))
        }
        return spinners
    }

    @Test("no client can come in, and yet every figure is followed, containers are found and alerts fire")
    func reserve() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(["plain=\(world.root)"], configuration: PlainWorld.configuration) { daemon in
                _ = try await daemon.query.exactStatus()
                let feed = try await FeedRecorder.start(daemon.query)
                // All numbers below this are taken, by the reserve for the most part.
                try await ScarceKernel.set(openFiles: 56, of: daemon)
                async let waiting = daemon.query.client(["status"], deadline: .seconds(60))
                try await wait(until: "a refusal", deadline: .seconds(20)) {
                    daemon.log.contains("connections to the status socket wait")
                }

                try world.write(3_000_000, to: "many/7/spill")
                for rule in ["large", "fast"] {
                    _ = try await feed.first("the alert \(rule)") { $0.alert?.rule == rule }
                }
                try scratch.directory("store/later")
                try world.write(30_000, to: "later/data")
                let truth = try await FullWalk.measure("\(world.root)/later")
                _ = try await feed.first("the new container's figure", deadline: .seconds(30)) {
                    $0.container?.name == "later" && $0.container?.diskBytes == truth.diskBytes
                        && $0.container?.state == .exact
                }
                let states = Set(feed.arrivals.compactMap(\.event.source?.state))
                #expect(states.isSubset(of: [.exact, .converging]))

                let (start, ticks) = (ContinuousClock.now, try processorTicks(daemon))
                try await Task.sleep(for: .seconds(3))
                let used = Duration.milliseconds(10 * (try processorTicks(daemon) - ticks))
                #expect(used < (ContinuousClock.now - start) / 4, "a waiting connection keeps it busy")

                try await ScarceKernel.set(openFiles: 1024, of: daemon)
                #expect(try await waiting.status == 0)
                try await world.expectTruth(daemon.query.exactStatus())
                try await feed.stop()
            }
        }
    }

    @Test(
        "where not one can be had, stores and layers are stale with the reason, nothing is damaged or gone, and it passes"
    )
    func none() async throws {
        try await withStore { world in
            try await withDaemon(["docker=\(world.root)"], configuration: PlainWorld.configuration) {
                daemon in
                let query = daemon.query
                let before = try await query.exactStatus()
                let feed = try await FeedRecorder.start(query)
                try await ScarceKernel.set(openFiles: 3, of: daemon)

                var renamed = try world.container("web-1")
                renamed.name = "renamed"
                try world.store.update(renamed)
                let tool = try world.container("tool-1")
                try FileManager.default.createDirectory(
                    atPath: "\(world.store.upperDirectory(of: tool))/new", withIntermediateDirectories: false)
                try world.write(3_000_000, to: "new/spill", in: tool)
                let source = try await feed.first("the store to be stale", deadline: .seconds(20)) {
                    $0.source?.state == .stale
                }.event.source
                #expect(source?.reason?.contains("raise LimitNOFILE=") == true, "\(source as Any)")
                _ = try await feed.first("the layer to be stale", deadline: .seconds(20)) {
                    $0.container?.name == "tool-1" && $0.container?.state == .stale
                        && $0.container?.reason?.contains("raise LimitNOFILE=") == true
                }
                // Longer than half-written metadata is waited for.
                try await Task.sleep(for: .seconds(13))
                let told = feed.arrivals.map(\.event)
                #expect(told.allSatisfy { $0.source?.state != .damaged })
                #expect(told.allSatisfy { $0.container?.state != .damaged })
                #expect(told.allSatisfy { $0.type != .containerRemoved && $0.type != .imageRemoved })

                try await ScarceKernel.set(openFiles: 1024, of: daemon)
                let after = try await query.exactStatus()
                #expect(after.imageFigures == before.imageFigures)
                #expect(after.containerFigures == (try await world.containerFigures()))
                #expect(Set(after.containers.map(\.name)) == ["base-1", "renamed", "tool-1"])
                _ = try await feed.first("the alert", deadline: .seconds(20)) { $0.alert?.rule == "large" }
                try await feed.stop()
            }
        }
    }

    @Test(
        "where not one can be had and answers wait for a processor, every question is answered all the same")
    func busy() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(["plain=\(world.root)"], configuration: PlainWorld.configuration) { daemon in
                _ = try await daemon.query.exactStatus()
                // libdispatch looks at its threads once a second, and only while work waits for them.
                let (clients, questions) = (20, 300)
                let url = "http://localhost/v1/status"
                let others = try scratch.write(
                    String(repeating: "url = \(url)\noutput = /dev/null\n", count: questions), to: "others")
                let first = try scratch.directory("first")
                try await withThrowingTaskGroup { group in
                    for number in 0..<clients {
                        group.addTask {
                            try await Command.run(
                                [
                                    "curl", "--silent", "--show-error", "--fail-early", "--unix-socket",
                                    daemon.query.socket, "--output", "\(first)/\(number)", url, "--config",
                                    others,
                                ], deadline: .seconds(300))
                        }
                    }
                    try await wait(until: "an answer to every client", deadline: .seconds(20)) {
                        try FileManager.default.contentsOfDirectory(atPath: first).count == clients
                    }
                    try await ScarceKernel.set(openFiles: 3, of: daemon)
                    // Two that take most of what the other tests leave.
                    let spinners = try await Self.spinners(2)
                    defer { for spinner in spinners { spinner.signal(SIGKILL) } }
                    try await Command.output(
                        ["renice", "-n", "10", "--pgrp", ScarceKernel.processID(daemon)])
                    for try await client in group { #expect(client.status == 0, "\(client)") }
                }
            }
        }
    }

    @Test("a limit with which the daemon cannot run is refused at the start, with what to do")
    func start() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            let configuration = try scratch.write("", to: "usaged.yaml")
            let refused = try await Command.run([
                "prlimit", "--nofile=40:", UsagedProcess.executable("usaged"), "--config", configuration,
                "--socket", scratch("s"), "--state", scratch("state"), "--store", "plain=\(world.root)",
            ])
            #expect(refused.status == 1)
            #expect(refused.err.contains("the limit of open files is 40"), "\(refused)")
            #expect(refused.err.contains("LimitNOFILE="))
        }
    }
}
