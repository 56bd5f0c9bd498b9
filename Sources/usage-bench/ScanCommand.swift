import Accounting
import ArgumentParser
import Foundation
import Tracking

/// The scanner alone, to be timed beside `du` and the reference scanner.
struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Walk directories once with the daemon's scanner.")

    @Option(name: .shortAndLong, help: "Threads; each takes one directory after the other.")
    var threads = 1

    @Argument(help: "Directories, each a layer.")
    var directories: [String]

    func run() throws {
        let work = ScanWork(directories)
        let group = (1..<max(1, threads)).map { _ in
            let thread = Thread { work.run() }
            thread.start()
            return thread
        }
        work.run()
        while group.contains(where: { !$0.isFinished }) { usleep(100) }
        let (bytes, inodes) = try work.result()
        print("\(bytes) bytes in \(inodes) inodes")
    }
}

/// Directories that threads share out.
private final class ScanWork: @unchecked Sendable {
    private let lock = NSLock()
    private var directories: [String]
    private var bytes: Int64 = 0
    private var inodes: Int64 = 0
    private var failure: (any Error)?

    init(_ directories: [String]) {
        self.directories = directories.reversed()
    }

    func run() {
        while let directory = lock.withLock({ directories.popLast() }) {
            do {
                let measure = try LayerScanner.measure(path: directory).measure.total
                lock.withLock {
                    bytes += measure.diskBytes
                    inodes += measure.inodes
                }
            } catch {
                lock.withLock { failure = failure ?? error }
            }
        }
    }

    func result() throws -> (bytes: Int64, inodes: Int64) {
        try lock.withLock {
            if let failure { throw failure }
            return (bytes, inodes)
        }
    }
}
