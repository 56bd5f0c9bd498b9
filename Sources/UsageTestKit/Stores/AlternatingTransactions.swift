internal import Glibc
internal import Kernel
internal import Synchronization
internal import SystemPackage

/// Ends transactions of a bbolt file on a thread, as an engine does that writes all the time: each brings back what was
/// there two transactions before.
public final class AlternatingTransactions: Sendable {
    private struct State {
        var isStopped = false
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// Begins in a file whose two meta pages are whole.
    public static func start(in path: String) throws -> AlternatingTransactions {
        let transactions = AlternatingTransactions()
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw KernelError(call: "open", path: path, errno: Errno(rawValue: errno))
        }
        let pageSize: Int
        let metas: [[UInt8]]
        do {
            let first = try meta(at: 0, descriptor, path)
            pageSize = Int(number(first, at: 8, size: 4))
            metas = [first, try meta(at: pageSize, descriptor, path)]
        } catch {
            close(descriptor)
            throw error
        }
        NamedThread.start("bolt-writer") {
            transactions.run(metas, pageSize: pageSize, descriptor)
        }
        return transactions
    }

    /// Returns when the last one is written.
    public func stop() async throws {
        state.withLock { $0.isStopped = true }
        try await wait(until: "the last transaction") { state.withLock { $0.hasEnded } }
    }

    private func run(_ metas: [[UInt8]], pageSize: Int, _ descriptor: Int32) {
        // If it had to wait for a processor, a reader would find the file still. Others than root may not ask for this.
        var priority = sched_param(sched_priority: 1)
        sched_setscheduler(0, SCHED_RR, &priority)
        var transaction = metas.map { Self.number($0, at: 48, size: 8) }.max() ?? 0
        while !state.withLock({ $0.isStopped }) {
            transaction += 1
            let page = transaction % 2
            var body = metas[Int(page)]
            body.replaceSubrange(48..<56, with: BoltFileBuilder.number(transaction, 8))
            let bytes = BoltFileBuilder.metaPage(page, body)
            _ = pwrite(descriptor, bytes, bytes.count, Int(page) * pageSize)
            usleep(500)
        }
        close(descriptor)
        state.withLock { $0.hasEnded = true }
    }

    /// What the meta page at `offset` says, without the page's header and its checksum.
    private static func meta(
        at offset: Int, _ descriptor: Int32, _ path: String
    ) throws(KernelError) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: 56)
        guard pread(descriptor, &body, body.count, offset + 16) == body.count else {
            throw KernelError(call: "pread", path: path, errno: Errno(rawValue: errno))
        }
        return body
    }

    private static func number(_ bytes: [UInt8], at offset: Int, size: Int) -> UInt64 {
        bytes[offset..<(offset + size)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
