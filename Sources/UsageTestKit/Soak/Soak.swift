internal import Accounting
internal import Glibc
internal import Synchronization
internal import Wire

/// The random life of a host beside two real daemons, whose figures are compared with full walks again and again.
///
/// One daemon lives on, and what it holds must stay flat. The other is ended and killed now and then, and started
/// again, so that each start is one in the midst of a life. Each round containers and volumes are written to from
/// many threads at once, through overlays and not, while the engine makes, changes and removes objects; then all rests,
/// and both daemons must call figures exact that are those of a walk, to the byte.
///
/// What is done follows from the seed alone. How threads and daemons interleave does not.
///
/// The work keeps out of what `Documentation/exactness.md` lists as known holes: descriptors are closed before a daemon
/// starts, and every few minutes.
package struct Soak {
    private enum Ending { case termination, kill }

    /// Rounds between two moments at which all that is open is closed, a few minutes.
    private static let closingInterval = 30
    /// Rounds between two walks of what does not change, the layers of images.
    private static let fullWalkInterval = 20

    /// For a daemon's start or an exact answer of it, on a large host or a busy machine.
    private static let deadline = Duration.seconds(300)

    private let options: SoakOptions
    private let say: @Sendable (String) -> Void
    private let scratch: ScratchDirectory
    private var host: SoakHost
    private var generator: SeededGenerator
    private let steady: UsagedProcess
    private let restarted: UsagedProcess
    private var known = SoakFigures.ImageLayers()
    /// Containers and volumes that hold what a flood left.
    private var flooded: [String] = []
    private var report: SoakReport

    /// Runs until its time is over, it is asked to stop, or something is wrong, which the report says.
    package static func run(
        _ options: SoakOptions, until stop: SoakStop = SoakStop(),
        say: @escaping @Sendable (String) -> Void = { _ in }
    ) async -> SoakReport {
        var report = SoakReport(seed: options.seed)
        do {
            let scratch = try ScratchDirectory("soak")
            do {
                report = try await run(options, in: scratch, until: stop, say)
            } catch {
                report.failure = "\(error)"
            }
            // Hundreds of thousands of files, on a disk that may be busy.
            try await scratch.remove(deadline: .seconds(1_800))
        } catch {
            report.failure = report.failure ?? "\(error)"
        }
        return report
    }

    private static func run(
        _ options: SoakOptions, in scratch: ScratchDirectory, until stop: SoakStop,
        _ say: @escaping @Sendable (String) -> Void
    ) async throws -> SoakReport {
        let root = scratch("docker")
        let host = try await onThread { try SoakHost(in: root, options) }
        let stores = ["docker=\(host.store.root)"]
        let steady = try await UsagedProcess.start(stores: stores, deadline: deadline)
        let report: SoakReport
        do {
            let restarted = try await UsagedProcess.start(stores: stores, deadline: deadline)
            var soak = Soak(
                options: options, say: say, scratch: scratch, host: host,
                generator: SeededGenerator(seed: options.seed), steady: steady, restarted: restarted,
                report: SoakReport(seed: options.seed))
            await soak.live(until: stop)
            report = soak.report
            soak.host.end()
            try await restarted.remove()
        } catch {
            try? await steady.remove()
            throw error
        }
        try await steady.remove()
        return report
    }

    private mutating func live(until stop: SoakStop) async {
        let clock = ContinuousClock()
        let end = clock.now + options.duration
        do {
            try await check("the start")
            while clock.now < end, !stop.isRequested {
                if report.rounds.isMultiple(of: Self.closingInterval) { host.closeFiles() }
                report.rounds += 1
                try await round()
                if report.rounds.isMultiple(of: Self.fullWalkInterval) { known.forget() }
                try await check("round \(report.rounds)")
            }
            known.forget()
            try await check("the end")
            let complaints = report.load.complaints
            if !complaints.isEmpty { report.failure = complaints.joined(separator: "\n") }
        } catch {
            report.failure = "\(error)"
        }
    }

    // MARK: Work

    private mutating func round() async throws {
        let ending: Ending? =
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: .termination
            case 1: .kill
            default: nil
            }
        if ending != nil { host.closeFiles() }
        try await clean()
        var writers = host.takeWriters(.random(in: options.writers, using: &generator))
        let plans = writers.map { ($0, Int.random(in: options.steps, using: &generator)) }
        let flood = Int.random(in: 0..<4, using: &generator) == 0 ? writers.first : nil
        let floodFiles = Int.random(in: options.floodFiles, using: &generator)
        let engineSteps = Int.random(in: 0...12, using: &generator)
        let done = Progress()
        let total = plans.map(\.1).reduce(0, +)
        let endsAfter = Int.random(in: 0...max(0, total / 2), using: &generator)

        async let engine = onThread { [host] in
            var host = host
            for _ in 0..<engineSteps { try host.operate() }
            return host
        }
        // A daemon that is held up meanwhile loses what is more than the kernel's queue holds.
        let isHeldUp = Bool.random(using: &generator)
        async let flooding: Void = Self.flood(
            flood?.root, files: floodFiles, holdingUp: isHeldUp ? steady : nil)
        async let ended: Void = Self.end(restarted, ending, after: endsAfter, of: done)
        writers = try await Self.work(plans, done)
        try await flooding
        host = try await engine
        try await ended
        report.operations += Int64(total) + (flood == nil ? 0 : Int64(floodFiles))
        report.engineOperations = host.operations
        if let flood {
            report.floods += 1
            flooded.append(flood.id)
        }
        if let ending {
            if ending == .kill { report.kills += 1 } else { report.terminations += 1 }
            for index in writers.indices { writers[index].calls.finish() }
            // Names only come while it starts, and nothing stays open that it could not know of.
            let steps = Int.random(in: 0...200, using: &generator)
            let daemon = restarted
            async let started: Void = daemon.start(deadline: Self.deadline)
            writers = try await Self.work(writers.map { ($0, steps) }, Progress(), isPlain: true)
            try await started
            report.operations += Int64(steps * writers.count)
        }
        host.giveBack(writers)
    }

    /// Removes some of what floods left, and what only grows.
    private mutating func clean() async throws {
        var left: [String] = []
        var roots: [String] = []
        for id in flooded {
            if Bool.random(using: &generator) {
                left.append(id)
            } else if let root = host.root(of: id) {
                roots.append(root)
            }
        }
        flooded = left
        try await onThread { [roots] in for root in roots { try StoreFiles.remove(root + "/flood") } }
    }

    private static func work(
        _ plans: [(SoakHost.Writer, steps: Int)], _ done: Progress, isPlain: Bool = false
    ) async throws -> [SoakHost.Writer] {
        try await withThrowingTaskGroup(of: (Int, SoakHost.Writer).self) { group in
            for (index, plan) in plans.enumerated() {
                group.addTask {
                    try await onThread {
                        var writer = plan.0
                        for _ in 0..<plan.steps {
                            isPlain ? writer.calls.plainStep() : writer.calls.step()
                            done.add()
                        }
                        // Plain work never removes.
                        if isPlain {
                            for index in 0..<10 { try StoreFiles.remove("\(writer.root)/plain\(index)") }
                        }
                        return (index, writer)
                    }
                }
            }
            var writers = plans.map(\.0)
            for try await (index, writer) in group { writers[index] = writer }
            return writers
        }
    }

    /// Makes and writes files as fast as it can, some of which it removes again.
    private static func flood(
        _ root: String?, files: Int, holdingUp daemon: UsagedProcess?
    ) async throws {
        guard let root else { return }
        daemon?.signal(SIGSTOP)
        defer { daemon?.signal(SIGCONT) }
        try await onThread {
            try StoreFiles.makeDirectory(root + "/flood")
            for index in 0..<files {
                let path = "\(root)/flood/\(index)"
                let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
                guard descriptor >= 0 else { throw ChildProcess.StartFailure(call: "open", path: path) }
                _ = write(descriptor, "flood", 5)
                close(descriptor)
                if index % 4 == 0 { unlink(path) }
            }
        }
    }

    private static func end(
        _ daemon: UsagedProcess, _ ending: Ending?, after steps: Int, of done: Progress
    ) async throws {
        guard let ending else { return }
        try await wait(until: "\(steps) steps", deadline: deadline) { done.steps >= steps }
        switch ending {
        case .kill: try await daemon.kill()
        case .termination:
            let status = try await daemon.terminate(deadline: .seconds(60))
            guard status == 0 else {
                throw WaitFailure(
                    description: "usaged ended with status \(status) on SIGTERM:\n\(daemon.log.suffix(2000))")
            }
        }
    }

    // MARK: Checks

    /// Compares both daemons' figures with walks while nobody writes.
    ///
    /// The kernel may change blocks at any time; where a walk before the questions and one after them differ, both count
    /// for nothing.
    private mutating func check(_ place: String) async throws {
        let facts = host.store.facts
        let root = scratch.path
        for _ in 0..<20 {
            let (before, walked) = try await onThread { [known] in
                try FileCalls.writeBack(root)
                var known = known
                return (try SoakFigures(facts, &known), known)
            }
            known = walked
            let steadyStatus = try await exactStatus(of: steady, place)
            let restartedStatus = try await exactStatus(of: restarted, place)
            let after = try await onThread { [known] in
                var known = known
                return try SoakFigures(facts, &known)
            }
            guard before == after else { continue }
            for (daemon, status) in [("that lives on", steadyStatus), ("that is restarted", restartedStatus)]
            {
                report.checks += 1
                let differences = after.differences(of: status)
                guard differences.isEmpty else {
                    let more = differences.count > 20 ? "\n... and \(differences.count - 20) more" : ""
                    throw WaitFailure(
                        description: "the daemon \(daemon) is wrong after \(place), seed \(options.seed):\n"
                            + differences.prefix(20).joined(separator: "\n") + more)
                }
            }
            try sample(steadyStatus, directories: after.directories)
            return
        }
        throw WaitFailure(description: "files of the store go on to change by themselves after \(place)")
    }

    private mutating func sample(_ status: Status, directories: Int64) throws {
        guard let process = steady.processID else {
            throw WaitFailure(description: "usaged has ended:\n\(steady.log.suffix(2000))")
        }
        let load = try ProcessLoad(of: process)
        report.load.add(load, watching: directories)
        report.overflows = status.counters.overflows
        report.corrections = status.counters.corrections
        if report.rounds > 0, report.rounds.isMultiple(of: 20) {
            say(
                "round \(report.rounds): \(report.checks) checks, \(report.operations) operations, RssAnon "
                    + "\(load.anonymousBytes / 1024) KiB, \(directories) directories written to")
        }
    }

    private mutating func exactStatus(of daemon: UsagedProcess, _ place: String) async throws -> Status {
        let begin = ContinuousClock.now
        var inexact = 0
        var reasons: [String] = []
        do {
            let status = try await wait(for: "an exact status", deadline: Self.deadline) {
                let status = try await daemon.query.get(Status.self, "v1/status")
                if status.exact { return Optional(status) }
                inexact += 1
                reasons = status.reasons
                return nil
            }
            report.inexactAnswers += inexact
            if inexact > 0 { report.longestWait = max(report.longestWait, ContinuousClock.now - begin) }
            return status
        } catch {
            throw WaitFailure(
                description: "\(error) after \(place), seed \(options.seed); reasons: \(reasons)\n"
                    + daemon.log.suffix(2000))
        }
    }
}

/// How many steps all writers of a round did together.
private final class Progress: Sendable {
    private let count = Atomic(0)

    var steps: Int { count.load(ordering: .relaxed) }

    func add() { count.add(1, ordering: .relaxed) }
}
