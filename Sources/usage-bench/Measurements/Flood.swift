import Foundation
import Glibc
import Synchronization

/// A thread that creates, writes and unlinks files in a directory at full speed.
final class Flood: Sendable {
    private let directory: String
    private let isStopped = Atomic(false)

    init(in directory: String) {
        self.directory = directory
    }

    func start() {
        Thread.detachNewThread { [self] in
            var number = 0
            while !isStopped.load(ordering: .relaxed) {
                Self.file(in: directory, number)
                number += 1
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    static func file(in directory: String, _ number: Int) {
        let path = "\(directory)/flood-\(number % 64)"
        let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 8) { buffer in
            _ = Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        }
        close(descriptor)
        unlink(path)
    }
}
