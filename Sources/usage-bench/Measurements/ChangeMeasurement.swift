import Glibc
import UsageTestKit

/// What changes cost, and how soon they are told, on a host with so many containers.
struct ChangeMeasurement {
    let daemon: BenchDaemon
    let containers: [(id: String, upper: String)]

    /// Milliseconds from a returned write to its event, with little else going on.
    func delays(_ count: Int) throws -> Samples {
        try FeedProbe(daemon, seed: 1).delays(of: containers, count: count)
    }

    /// The same in the others while one container's files are created, written and unlinked at full speed.
    func delaysBesideFlood(_ count: Int) throws -> Samples {
        let probe = try FeedProbe(daemon, seed: 2)
        let flood = Flood(in: containers[0].upper)
        flood.start()
        defer { flood.stop() }
        return try probe.delays(of: Array(containers.dropFirst()), count: count)
    }

    struct Cost {
        /// The daemon's processor time for each file, microseconds.
        var perFile: Double
        /// Its share of one processor while the writer ran.
        var share: Double
        var filesPerSecond: Double
    }

    /// What it costs the daemon that one process creates, writes and unlinks files at full speed.
    func costOfFiles(_ count: Int) async throws -> Cost {
        let process = try daemon.processID
        let before = try ProcessUsage.processorNanoseconds(of: process)
        let begin = ContinuousClock.now
        for number in 0..<count { Flood.file(in: containers[0].upper, number) }
        let time = (ContinuousClock.now - begin).milliseconds
        let during = try ProcessUsage.processorNanoseconds(of: process)
        try await quiet(process)
        let after = try ProcessUsage.processorNanoseconds(of: process)
        return Cost(
            perFile: Double(after - before) / 1e3 / Double(count),
            share: Double(during - before) / 1e6 / time, filesPerSecond: Double(count) / time * 1e3)
    }

    /// The daemon's processor time of the writer's, in percent, while that appends so many bytes to one file.
    func shareOfWriting(_ bytes: Int) async throws -> Double {
        let process = try daemon.processID
        let path = containers[0].upper + "/large"
        let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Tree.failure("open", path) }
        defer {
            close(descriptor)
            unlink(path)
        }
        let piece = [UInt8](repeating: 120, count: 1 << 20)
        let before = try ProcessUsage.processorNanoseconds(of: process)
        let begin = Self.threadNanoseconds()
        for _ in 0..<(bytes / piece.count) {
            guard write(descriptor, piece, piece.count) == piece.count else {
                throw Tree.failure("write", path)
            }
        }
        let writer = Self.threadNanoseconds() - begin
        try await quiet(process)
        return Double(try ProcessUsage.processorNanoseconds(of: process) - before) / Double(writer) * 100
    }

    /// Waits until the daemon has nothing left to do: a tenth of a second in which it takes less than a millisecond.
    private func quiet(_ process: pid_t) async throws {
        try await wait(until: "usaged to be quiet", deadline: .seconds(60)) {
            let before = try ProcessUsage.processorNanoseconds(of: process)
            try await Task.sleep(for: .milliseconds(100))
            return try ProcessUsage.processorNanoseconds(of: process) - before < 1_000_000
        }
    }

    private static func threadNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
