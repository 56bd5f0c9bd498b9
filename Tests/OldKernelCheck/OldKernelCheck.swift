import Accounting
import Foundation
import Glibc
import UsageTestKit
import Wire

/// A Docker store without an engine, whose containers are mounted, worked in and stopped as an engine would.
struct OldKernelCheck {
    private static let rounds = 3
    private static let steps = 60

    private let started = ContinuousClock.now
    private var store: DockerStoreBuilder
    private let image: ImageFact
    private var containers: [(fact: ContainerFact, work: RandomSystemCalls)] = []

    init(directory: String) throws {
        store = try DockerStoreBuilder(root: directory + "/docker", seed: 1)
        let files = ["a/b", "a/c", "b/a/d", "c", "d/e/f", "e/a", "f"].map {
            LayerContent.File($0, size: 20_000)
        }
        let steps = [BuildStep("ADD base", content: LayerContent(files: files))]
        guard let image = try store.build(steps, names: ["base:1"]).last else {
            throw WaitFailure(description: "no image was built")
        }
        self.image = image
    }

    mutating func run() async throws {
        let probe = try await Command.output([UsagedProcess.executable("usaged"), "--probe-overlay"])
        guard probe.contains("does not tell") else {
            throw WaitFailure(description: "this is no such kernel: \(probe)")
        }
        say(probe.trimmingCharacters(in: .whitespacesAndNewlines))
        for index in 0..<3 {
            let fact = try store.addContainer(named: "work-\(index)", on: image, isRunning: true)
            try mount(fact)
            let work = RandomSystemCalls(root: path(fact, "merged"), seed: UInt64(index))
            containers.append((fact, work))
        }
        // As the unit does: the daemon's mounts are its own, and receive what is mounted on the host.
        _ = Glibc.mount("none", "/", nil, UInt(MS_REC) | UInt(MS_SHARED), nil)
        let daemon = try await UsagedProcess.start(
            stores: ["docker=\(store.root)"], configuration: "tracking:\n  polling_interval: 2s\n",
            launcher: ["unshare", "--mount", "--propagation", "slave"], deadline: .seconds(120))
        say("usaged has looked at every store")
        do {
            try await check(daemon)
        } catch {
            throw WaitFailure(description: "\(error)\nusaged said:\n\(daemon.log.suffix(3000))")
        }
        try await daemon.terminate()
    }

    private mutating func check(_ daemon: UsagedProcess) async throws {
        for round in 0..<Self.rounds {
            for index in containers.indices {
                for _ in 0..<Self.steps { containers[index].work.step() }
                try await fallocate(below: path(containers[index].fact, "merged"), round: round)
            }
            let status = try await compare(daemon, "round \(round)")
            say("round \(round): \(describe(status))")
        }
        try await stopAndStart(daemon)
        try await hide(daemon)
    }

    /// What programs do to a file's blocks apart from writing.
    private func fallocate(below root: String, round: Int) async throws {
        let file = root + "/allocated"
        try append(1000, to: file)
        let size = "\((round + 1) * 200_000)"
        try await Command.output(["fallocate", "--keep-size", "--length", size, file])
        let hole = "\((round + 1) * 8192)"
        try await Command.output(["fallocate", "--punch-hole", "--offset", "8192", "--length", hole, file])
    }

    private mutating func stopAndStart(_ daemon: UsagedProcess) async throws {
        containers[0].work.finish()
        var fact = containers[0].fact
        unmount(fact)
        fact.isRunning = false
        try store.update(fact)
        try await compare(daemon, "one container stopped")
        for round in 0..<5 {
            // As quick as a copy into it.
            try mount(fact)
            try append(10_000, to: path(fact, "merged/copied"))
            unmount(fact)
            try await compare(daemon, "copied into, \(round)")
        }
        try mount(fact)
        fact.isRunning = true
        try store.update(fact)
        try append(10_000, to: path(fact, "merged/copied"))
        try await compare(daemon, "started again")
        say("a container was stopped, copied into and started")
    }

    /// A container whose mount is in a namespace of its own is polled, and right after a poll.
    private mutating func hide(_ daemon: UsagedProcess) async throws {
        let fact = try store.addContainer(named: "hidden", on: image, isRunning: true)
        try append(1000, to: path(fact, "diff/grows"))
        let script = """
            mkdir -p \(path(fact, "merged")) && mount -t overlay overlay -o \(mountOptions(fact)) \
            \(path(fact, "merged")) && head -c 500000 /dev/zero >> \(path(fact, "merged/grows")) && exec sleep 600
            """
        let child = try await ChildProcess.start(["unshare", "--mount", "sh", "-c", script])
        defer { child.signal(SIGKILL) }
        try await wait(until: "the hidden container to be polled and right", deadline: .seconds(60)) {
            let status = try await daemon.query.status()
            guard let ours = status.container(named: "hidden"), ours.state == .polling, !status.exact else {
                return false
            }
            return try await ours.diskBytes == DiskUsage.du(path(fact, "diff")) && ours.sizeBytes >= 501_000
        }
        let status = try await daemon.query.status()
        guard status.reasons.contains(where: { $0.contains("cannot be seen here") }) else {
            throw WaitFailure(description: "the reason is not told: \(status.reasons)")
        }
        for entry in containers where status.container(named: entry.fact.name)?.state != .exact {
            throw WaitFailure(description: "\(entry.fact.name) is not exact beside the hidden container")
        }
        say("a container whose mount cannot be seen is polled: \(status.reasons)")
    }

    /// Compares each container with du at a moment that is called exact.
    @discardableResult
    private func compare(_ daemon: UsagedProcess, _ why: String) async throws -> Status {
        // What the kernel still delays would change blocks between the answer and du.
        sync()
        let status = try await daemon.query.exactStatus(deadline: .seconds(400))
        for entry in containers {
            let disk = try await DiskUsage.du(path(entry.fact, "diff"))
            guard let ours = status.container(named: entry.fact.name), ours.state == .exact,
                ours.diskBytes == disk
            else {
                let found = status.container(named: entry.fact.name)
                throw WaitFailure(
                    description: """
                        \(why): \(entry.fact.name) is \(found?.state.rawValue ?? "not there") with \
                        \(found?.diskBytes ?? 0) bytes, and du says \(disk)
                        """)
            }
        }
        return status
    }

    // MARK: Overlays

    private func path(_ fact: ContainerFact, _ name: String) -> String {
        "\(store.root)/overlay2/\(fact.layer)/\(name)"
    }

    private func mountOptions(_ fact: ContainerFact) -> String {
        let lower = ([fact.initLayer].compactMap(\.self) + fact.chain.reversed()).compactMap {
            store.layers[$0]?.directory
        }
        return "lowerdir=\(lower.joined(separator: ":")),upperdir=\(path(fact, "diff")),"
            + "workdir=\(path(fact, "work"))"
    }

    private func mount(_ fact: ContainerFact) throws {
        mkdir(path(fact, "merged"), 0o700)
        guard Glibc.mount("overlay", path(fact, "merged"), "overlay", 0, mountOptions(fact)) == 0 else {
            throw WaitFailure(description: "cannot mount \(fact.name): \(String(cString: strerror(errno)))")
        }
    }

    private func unmount(_ fact: ContainerFact) {
        umount2(path(fact, "merged"), Int32(MNT_DETACH))
        rmdir(path(fact, "merged"))
    }

    private func append(_ count: Int, to path: String) throws {
        let file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
        defer { close(file) }
        guard write(file, [UInt8](repeating: 7, count: count), count) == count else {
            throw WaitFailure(description: "cannot write \(path)")
        }
    }

    // MARK: Telling

    private func say(_ text: String) {
        let seconds = (ContinuousClock.now - started).components.seconds
        print("[\(seconds) s] \(text)")
        fflush(nil)
    }

    private func describe(_ status: Status) -> String {
        let figures = containers.map { entry in
            "\(entry.fact.name) \(status.container(named: entry.fact.name)?.diskBytes ?? 0)"
        }
        return "exact, \(status.sources.first?.watches ?? 0) watches, " + figures.joined(separator: ", ")
    }
}
