import Accounting
import Foundation
import Kernel
import Synchronization
import Testing
import UsageTestKit

@testable import Stores

@Suite("Reading a bbolt file that is written to")
struct BoltFileTests {
    private let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory("bolt")
    }

    private func write(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: scratch("a.db")))
    }

    private func read(_ facts: inout BoltFacts<BoltTree>) throws -> (
        facts: BoltTree?, fault: MetadataFault?, parsed: Int
    ) {
        var notes = ReadingNotes()
        let result = facts.read("a.db", in: try MetadataDirectory(path: scratch.path), &notes) {
            BoltSnapshotTests.tree($0.root)
        }
        return (result.facts, result.fault, notes.filesRead)
    }

    @Test("it is parsed again only when a transaction ended")
    func reread() async throws {
        var file = BoltFileBuilder(BoltTree(nodes: [[1]: .value([2])]))
        var facts = BoltFacts<BoltTree>()
        try write(file.bytes)
        for expected in [1, 0, 0] {
            let reading = try read(&facts)
            #expect(reading.facts == BoltTree(nodes: [[1]: .value([2])]) && reading.fault == nil)
            #expect(reading.parsed == expected)
        }
        let next = BoltTree(nodes: [[1]: .value([3])])
        file.commit(next)
        let descriptor = open(scratch("a.db"), O_WRONLY)
        defer { close(descriptor) }
        #expect(pwrite(descriptor, file.bytes, file.bytes.count, 0) == file.bytes.count)
        #expect(try read(&facts).facts == next)
        #expect(try read(&facts).parsed == 0)
        try await scratch.remove()
    }

    @Test("what is no database is said, and what was known before stays")
    func faults() async throws {
        let tree = BoltTree(nodes: [[1]: .value([2])])
        var facts = BoltFacts<BoltTree>()
        #expect(try read(&facts).fault?.isMissing == true)
        try write([])
        #expect(try read(&facts).fault?.severity == .pending)
        try write(Array(repeating: 7, count: 20_000))
        #expect(try read(&facts).fault?.severity == .damaged)
        #expect(try read(&facts).facts == nil)

        let file = BoltFileBuilder(tree)
        try write(file.bytes)
        #expect(try read(&facts).fault == nil)
        var broken = BoltFileBuilder(BoltTree(nodes: [[5]: .value([6])]))
        broken.commit(BoltTree(nodes: [[8]: .value([6])]))
        var bytes = broken.bytes
        for page in 2..<(bytes.count / 4096) { bytes[page * 4096 + 8] = 4 }
        try write(bytes)
        for parsed in [1, 0] {
            let reading = try read(&facts)
            #expect(reading.facts == tree)
            #expect(reading.fault?.severity == .damaged)
            #expect(reading.fault?.reason.contains("its kind is 4") == true)
            #expect(reading.parsed == parsed)
        }
        try await scratch.remove()
    }

    @Test("a symbolic link, a FIFO, a directory and a giant are not read")
    func notRegular() async throws {
        let path = scratch("a.db")
        let makers: [() -> Int32] = [
            { symlink("/etc/passwd", path) }, { mkfifo(path, 0o600) }, { mkdir(path, 0o700) },
        ]
        for make in makers {
            #expect(make() == 0)
            var facts = BoltFacts<BoltTree>()
            let fault = try #require(try read(&facts).fault)
            #expect(fault.severity == .damaged && fault.reason == "it is not a regular file")
            #expect(Glibc.remove(path) == 0)
        }
        // A database that says that it uses more than is read of one; sparse, so that it costs nothing.
        var bytes = BoltFileBuilder(BoltTree()).bytes
        let start = 16
        bytes.replaceSubrange((start + 40)..<(start + 48), with: [0, 0, 2, 0, 0, 0, 0, 0])
        bytes.replaceSubrange((start + 48)..<(start + 56), with: [9, 0, 0, 0, 0, 0, 0, 0])
        let sum = BoltFileBuilder.checksum(bytes[start..<(start + 56)])
        bytes.replaceSubrange(
            (start + 56)..<(start + 64), with: (0..<8).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) })
        try write(bytes)
        #expect(truncate(path, 1 << 30) == 0)
        var facts = BoltFacts<BoltTree>()
        #expect(try read(&facts).fault?.reason.contains("larger than \(BoltFile.limit) bytes") == true)
        try await scratch.remove()
    }

    @Test("every copy taken during a flood of transactions is one transaction, whole")
    func flood() async throws {
        let scratch = scratch
        let written = Mutex((count: 0, isDone: false))
        let first = BoltFileBuilder(Self.content(0), pageSize: 512)
        try write(first.bytes)
        NamedThread.start("bolt-writer") {
            var file = first
            let descriptor = open(scratch("a.db"), O_WRONLY)
            defer { close(descriptor) }
            for number in 1...600 {
                let tree = Self.content(number)
                for write in file.writes(of: tree) {
                    _ = pwrite(descriptor, write.bytes, write.bytes.count, write.offset)
                }
                file.commit(tree)
                written.withLock { $0.count = number }
                if number % 8 == 0 { usleep(500) }
            }
            written.withLock { $0.isDone = true }
        }
        let result = try await onThread { () -> (read: Int, disturbed: Int, flaws: [String]) in
            var read = 0
            var disturbed = 0
            var flaws: [String] = []
            while true {
                let before = written.withLock { $0 }
                var facts = BoltFacts<BoltTree>()
                var notes = ReadingNotes()
                let (tree, fault) = facts.read(
                    "a.db", in: try MetadataDirectory(path: scratch.path), &notes
                ) { BoltSnapshotTests.tree($0.root) }
                let after = written.withLock { $0.count }
                if let tree {
                    read += 1
                    let number = Int(tree.sequence)
                    if tree != Self.content(number) { flaws.append("transaction \(number) is not whole") }
                    if number < before.count || number > after + 1 {
                        flaws.append("transaction \(number) was read between \(before.count) and \(after)")
                    }
                } else {
                    disturbed += 1
                    if fault?.severity != .unreadable { flaws.append("\(String(describing: fault))") }
                }
                if before.isDone { return (read, disturbed, flaws) }
            }
        }
        #expect(result.flaws.isEmpty, "\(result.flaws.prefix(5))")
        #expect(result.read > 20, "\(result)")
        try await scratch.remove()
    }

    @Test("a database that is written to during each reading is unreadable, and is read when that ends")
    func alwaysDisturbed() async throws {
        // A copy of so many bytes takes longer than the pause between two transactions.
        let tree = BoltTree(nodes: [[1]: .value(Array(repeating: 2, count: 16 << 20))])
        var file = BoltFileBuilder(tree)
        file.commit(tree)
        try write(file.bytes)
        let transactions = try AlternatingTransactions.start(in: scratch("a.db"))
        let path = scratch.path
        let reading = try await onThread { () -> (fault: MetadataFault?, wrong: Int) in
            var wrong = 0
            var last: MetadataFault?
            let end = ContinuousClock.now + .seconds(120)
            while last == nil, ContinuousClock.now < end {
                var facts = BoltFacts<BoltTree>()
                var notes = ReadingNotes()
                let (read, fault) = facts.read("a.db", in: try MetadataDirectory(path: path), &notes) {
                    BoltSnapshotTests.tree($0.root)
                }
                if let read, read != tree { wrong += 1 }
                last = fault
            }
            return (last, wrong)
        }
        try await transactions.stop()
        #expect(reading.wrong == 0)
        #expect(reading.fault?.severity == .unreadable)
        #expect(
            reading.fault?.reason
                == "cannot get a consistent copy: the engine wrote to it during each of 24 readings")
        var facts = BoltFacts<BoltTree>()
        let after = try read(&facts)
        #expect(after.facts == tree && after.fault == nil)
        try await scratch.remove()
    }

    /// Of every size from one page to many, told by its sequence.
    private static func content(_ number: Int) -> BoltTree {
        var tree = BoltTree(sequence: UInt64(number))
        for index in 0..<(number * 37 % 100) {
            tree["bucket", "key-\(index)"] = .text("\(number)-\(String(repeating: "x", count: index % 50))")
        }
        return tree
    }
}
