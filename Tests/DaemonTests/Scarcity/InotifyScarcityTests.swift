import Foundation
import Testing
import UsageTestKit
import Wire

@Suite(
    "inotify's watches and instances used up while the daemon runs",
    .enabled(if: ScarceKernel.canUnshare, "it needs user namespaces"))
struct InotifyScarcityTests {
    private static let watches = "fs.inotify.max_user_watches"
    private static let instances = "fs.inotify.max_user_instances"

    @Test(
        "a layer with more directories than watches is polled, its alerts fire, and it is exact once the limit is raised"
    )
    func atStart() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(
                ["plain=\(world.root)"], configuration: PlainWorld.configuration,
                launcher: ScarceKernel.launcher(watches: 8)
            ) { daemon in
                let polled = try await world.polled("many", because: Self.watches, daemon)
                try await world.expectTruth(polled)
                try await world.alert("many", because: Self.watches, daemon)
                try await ScarceKernel.set(of: daemon)
                let exact = try await daemon.query.exactStatus()
                try await world.expectTruth(exact)
                #expect(exact.sources.map(\.watches) == [PlainWorld.allDirectories])
                try world.write(50_000, to: "many/3/more")
                try await world.expectTruth(daemon.query.exactStatus())
            }
        }
    }

    enum Way: CaseIterable { case limitRaised, directoriesRemoved }

    @Test(
        "directories made later than the last watch have their layer polled until there are watches",
        arguments: Way.allCases)
    func later(way: Way) async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(
                ["plain=\(world.root)"], configuration: PlainWorld.configuration,
                launcher: ScarceKernel.launcher(watches: PlainWorld.allDirectories + 2)
            ) { daemon in
                _ = try await daemon.query.exactStatus()
                for index in 0..<10 { try scratch.directory("store/few/later\(index)") }
                try world.write(70_000, to: "few/later9/data")
                // Of the two, that one which the daemon looks at without a watch is not of the test's choosing.
                let name = try await wait(for: "a polled container", deadline: .seconds(20)) {
                    try await daemon.query.status().containers.first { $0.state == .polling }?.name
                }
                try await world.alert(name, because: Self.watches, daemon)
                switch way {
                case .limitRaised: try await ScarceKernel.set(of: daemon)
                case .directoriesRemoved:
                    for index in 0..<10 {
                        try FileManager.default.removeItem(atPath: "\(world.root)/few/later\(index)")
                    }
                }
                try await world.expectTruth(daemon.query.exactStatus())
            }
        }
    }

    @Test("watches that another program of the same user holds are missed, and taken when it ends")
    func others() async throws {
        try await withScratch { scratch in
            let other = try PlainWorld(scratch, "other")
            let world = try PlainWorld(scratch)
            try await withDaemon(
                ["plain=\(other.root)"],
                launcher: ScarceKernel.launcher(watches: PlainWorld.allDirectories + 6)
            ) { first in
                _ = try await first.query.exactStatus()
                try await withDaemon(
                    ["plain=\(world.root)"], configuration: PlainWorld.configuration,
                    launcher: ScarceKernel.launcher(inNamespaceOf: first)
                ) { daemon in
                    try await world.alert("many", because: Self.watches, daemon)
                    #expect(try await first.query.status().exact)
                    try await first.terminate()
                    try await world.expectTruth(daemon.query.exactStatus())
                }
            }
        }
    }

    @Test("watches that the configuration allows are used up: the reason names the setting")
    func budget() async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            let directories = try world.addDirectories(50)
            try await withDaemon(
                ["plain=\(world.root)"], configuration: PlainWorld.smallWatchBudget
            ) { daemon in
                try await world.alert("many", because: "tracking.watch_budget", daemon)
                for path in directories { try FileManager.default.removeItem(atPath: path) }
                try await world.expectTruth(daemon.query.exactStatus())
            }
        }
    }

    @Test(
        "without an instance for a layer or for the metadata these are polled, until there is one",
        arguments: [0, 1, 2])
    func instances(limit: Int) async throws {
        try await withScratch { scratch in
            let world = try PlainWorld(scratch)
            try await withDaemon(
                ["plain=\(world.root)"], configuration: PlainWorld.configuration,
                launcher: ScarceKernel.launcher(instances: limit)
            ) { daemon in
                try await wait(until: "a polled source", deadline: .seconds(20)) {
                    let source = try await daemon.query.status().sources.first
                    return source?.state == .polling && source?.reason?.contains(Self.instances) == true
                }
                // Which of the three has none is not of the test's choosing.
                let waiting = try await daemon.query.status().containers.first { $0.state == .polling }?.name
                if let waiting { try await world.alert(waiting, because: Self.instances, daemon) }
                try scratch.directory("store/later")
                try world.write(30_000, to: "later/data")
                let found = try await wait(for: "a container made later", deadline: .seconds(30)) {
                    let status = try await daemon.query.status()
                    return status.container(named: "later")?.sizeBytes == 30_000 ? status : nil
                }
                #expect(!found.exact)
                try await world.expectTruth(found)
                try await ScarceKernel.set(of: daemon)
                try await world.expectTruth(daemon.query.exactStatus())
                try world.write(40_000, to: "later/more")
                try await world.expectTruth(daemon.query.exactStatus())
            }
        }
    }
}
