import Foundation
import Accounting
import GRDB
import Glibc
import Testing
import UsageTestKit

@testable import History

@Suite("Damaged, foreign and unusable state")
struct DamageTests {
    /// A directory with a database of some hundred layers, as a stopped daemon leaves it.
    private func filled() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        var generator = SeededGenerator(seed: 10)
        let (store, _) = try StateStore.open(directory: directory.path)
        try store.save(
            (0..<300).map { (id: "layer-\($0)", Samples.cached(&generator)) }, of: Samples.docker)
        try store.close()
        return directory
    }

    private func damagedFiles(_ directory: TemporaryDirectory) -> [String] {
        directory.entries.filter { $0.hasPrefix("state.db.damaged-") }
    }

    private func expectFresh(_ directory: TemporaryDirectory, keeping old: [UInt8]) throws {
        let (store, notice) = try StateStore.open(directory: directory.path)
        let aside = damagedFiles(directory)
        #expect(aside.count == 1)
        let name = try #require(aside.first)
        #expect(try directory.bytes(name) == old)
        #expect(notice?.contains(name) == true)
        #expect(try store.layerMeasures(of: Samples.docker).isEmpty)
        try store.setValue([1], for: "works")
        try store.close()
        #expect(try StateStore.open(directory: directory.path).notice == nil)
    }

    @Test("garbage in place of the database is moved aside, not deleted")
    func garbage() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var generator = SeededGenerator(seed: 11)
        let bytes = (0..<10_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try directory.write(bytes, to: "state.db")
        try expectFresh(directory, keeping: bytes)
    }

    @Test("a truncated database is moved aside", arguments: [50, 4096, 9000, 20_000])
    func truncated(length: Int) throws {
        let directory = try filled()
        defer { directory.remove() }
        let bytes = Array(try directory.bytes("state.db").prefix(length))
        try directory.write(bytes, to: "state.db")
        try expectFresh(directory, keeping: bytes)
    }

    /// The short run is the same each time; its first seed made a text of the schema too long to read.
    private static let seeds: [UInt64] =
        [8_871_513_065_878_229_896, 1]
        + (ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] == nil
            ? [] : (0..<10).map { _ in UInt64.random(in: 0...UInt64.max) })

    @Test(
        "overwritten pages never crash: the file is moved aside or what it holds is readable",
        arguments: seeds)
    func overwritten(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let source = try filled()
        defer { source.remove() }
        let good = try source.bytes("state.db")
        for _ in 0..<100 {
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            var bytes = good
            // Every other time in the header and the schema.
            let end = Bool.random(using: &generator) ? bytes.count : 4096
            let start = Int.random(in: 0..<end, using: &generator)
            for offset in start..<min(bytes.count, start + Int.random(in: 1...600, using: &generator)) {
                bytes[offset] = UInt8.random(in: 0...255, using: &generator)
            }
            try directory.write(bytes, to: "state.db")
            do {
                let (store, notice) = try StateStore.open(directory: directory.path)
                if notice == nil {
                    _ = try store.layerMeasures(of: Samples.docker)
                    try store.setValue([1], for: "x")
                }
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    @Test("another program's database is moved aside unchanged")
    func foreign() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let queue = try DatabaseQueue(path: directory.path + "/state.db")
        try queue.write { try $0.execute(sql: "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)") }
        try queue.close()
        try expectFresh(directory, keeping: try directory.bytes("state.db"))
    }

    @Test("a directory in place of the database is moved aside")
    func directoryInPlace() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        mkdir(directory.path + "/state.db", 0o755)
        let (store, notice) = try StateStore.open(directory: directory.path)
        #expect(notice?.contains("not a regular file") == true)
        try store.setValue([1], for: "works")
        #expect(damagedFiles(directory).count == 1)
    }

    @Test("a database whose table is missing is moved aside")
    func missingTable() throws {
        let directory = try filled()
        defer { directory.remove() }
        let queue = try DatabaseQueue(path: directory.path + "/state.db")
        try queue.write { try $0.execute(sql: "DROP TABLE mark") }
        try queue.close()
        let (store, notice) = try StateStore.open(directory: directory.path)
        #expect(notice?.contains("no such table: mark") == true)
        #expect(try store.markNames().isEmpty)
    }

    @Test("a database of a newer version is refused, left as it is, and the message says what to do")
    func newer() throws {
        let directory = try filled()
        defer { directory.remove() }
        let queue = try DatabaseQueue(path: directory.path + "/state.db")
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v99')") }
        try queue.close()
        let before = try directory.bytes("state.db")
        let error = #expect(throws: StateError.self) {
            _ = try StateStore.open(directory: directory.path)
        }
        #expect(error?.code == .newerSchema)
        #expect(error?.description.contains("run the newer version again") == true)
        #expect(try directory.bytes("state.db") == before)
        #expect(damagedFiles(directory).isEmpty)
    }

    @Test("of damaged files the newest three are kept")
    func fewDamagedFiles() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for number in 0..<5 {
            try directory.write([UInt8(number)], to: "state.db")
            try directory.write([UInt8(number)], to: "state.db-wal")
            _ = try StateFile.moveAside(directory.path + "/state.db", time: 1_420_254_245 + number)
        }
        #expect(
            damagedFiles(directory) == [
                "state.db.damaged-20150103T030407Z", "state.db.damaged-20150103T030407Z-wal",
                "state.db.damaged-20150103T030408Z", "state.db.damaged-20150103T030408Z-wal",
                "state.db.damaged-20150103T030409Z", "state.db.damaged-20150103T030409Z-wal",
            ])
        #expect(try directory.bytes("state.db.damaged-20150103T030409Z") == [4])
    }

    @Test("two damaged files of the same second are both kept")
    func sameSecond() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        for number in 0..<2 {
            try directory.write([UInt8(number)], to: "state.db")
            _ = try StateFile.moveAside(directory.path + "/state.db", time: 1_420_254_245)
        }
        #expect(damagedFiles(directory).count == 2)
    }

    @Test("a missing directory, or a file in its place, is an error that says what to do")
    func noDirectory() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try directory.write([], to: "file")
        for path in ["\(directory.path)/none", "\(directory.path)/file"] {
            let error = #expect(throws: StateError.self) { _ = try StateStore.open(directory: path) }
            #expect(error?.code == .noDirectory)
            #expect(error?.description.contains(path) == true)
            #expect(error?.description.contains("--state") == true)
        }
        #expect(directory.entries == ["file"])
    }

    @Test("the database is for its owner and group alone, whatever the umask")
    func mode() throws {
        let directory = try filled()
        defer { directory.remove() }
        let (store, _) = try StateStore.open(directory: directory.path)
        try store.setValue([1], for: "x")
        for name in directory.entries {
            var status = stat()
            #expect(stat("\(directory.path)/\(name)", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o640, "\(name)")
        }
        #expect(directory.entries.contains("state.db-wal"))
    }

    @Test("a store can be used no more after it is closed, and says so")
    func closed() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let (store, _) = try StateStore.open(directory: directory.path)
        try store.close()
        #expect(throws: StateError.self) { try store.setValue([1], for: "x") }
        #expect(throws: StateError.self) { _ = try store.markNames() }
    }
}
