import Foundation
import Glibc
import Kernel
import Synchronization

/// Makes and writes files as fast as it can, from threads of its own, until it is stopped or has made its number.
///
/// It removes most of them again where asked. Where all stay, a tracker that lost events has no cause but the loss to
/// look at everything.
final class Flood: Sendable {
    private let isRunning = Atomic(true)
    private let running = Atomic(0)
    private let done = Atomic<Int64>(0)

    /// Files made so far; each has three events or four.
    var files: Int64 { done.load(ordering: .relaxed) }

    init(in directory: String, threads: Int = 1, filesOfThread: Int = .max, removes: Bool = true) {
        running.store(threads, ordering: .releasing)
        for thread in 0..<threads {
            NamedThread.start("flood") { [self] in
                let below = Self.directory(of: thread, in: directory)
                mkdir(below, 0o755)
                var index = 0
                while index < filesOfThread, isRunning.load(ordering: .relaxed) {
                    let path = "\(below)/\(removes ? index % 1_000 : index)"
                    let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
                    if descriptor >= 0 {
                        _ = write(descriptor, "flood", 5)
                        close(descriptor)
                    }
                    if removes, index % 8 != 0 { unlink(path) }
                    index += 1
                    done.add(1, ordering: .relaxed)
                }
                running.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
    }

    /// Where a thread of a flood in a directory makes its files; it makes it first where it is not there.
    static func directory(of thread: Int, in directory: String) -> String { "\(directory)/flood\(thread)" }

    func requestStop() { isRunning.store(false, ordering: .relaxed) }

    var hasStopped: Bool { running.load(ordering: .acquiring) == 0 }
}
