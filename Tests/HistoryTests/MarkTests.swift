import Accounting
import GRDB
import Testing
import UsageTestKit

@testable import History

@Suite("Marks and values in the database")
struct MarkTests {
    @Test("a mark comes back as it was set, whatever a container is called")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let store = try StateStore.inMemory()
        for size in [0, 1, 50, 2000] {
            let mark = Samples.mark(&generator, layers: size, containers: size / 3)
            try store.save(mark, named: "before")
            #expect(try store.mark(named: "before") == mark, "seed \(seed)")
        }
        #expect(try store.mark(named: "after") == nil)
    }

    @Test("containers of one id in two stores, and whether it was exact, come back as they were")
    func twins() throws {
        let store = try StateStore.inMemory()
        for isExact in [true, false] {
            var mark = Mark(wall: 5, isExact: isExact)
            for (number, identity) in [Samples.docker, Samples.podman].enumerated() {
                mark.containers[ContainerKey(store: identity, id: "web")] = Mark.ContainerEntry(
                    name: "n\(number)", measure: Measure(diskBytes: Int64(number), sizeBytes: 2, inodes: 3))
            }
            try store.save(mark, named: "m")
            #expect(try store.mark(named: "m") == mark)
        }
    }

    @Test("a mark of an earlier form is no mark: that is told, and it can be set again")
    func earlierForm() throws {
        let store = try StateStore.inMemory()
        try store.save(Mark(wall: 1), named: "m")
        try store.write("test") { db in
            try db.execute(
                sql: "UPDATE mark SET data = ?", arguments: [[UInt8]([1, 2, 0, 0, 0]).databaseBlob])
        }
        let error = #expect(throws: StateError.self) { try store.mark(named: "m") }
        #expect(error?.code == .unknownForm)
        #expect(error?.description.contains("set the mark again") == true)
        try store.save(Mark(wall: 2), named: "m")
        #expect(try store.mark(named: "m") == Mark(wall: 2))

        // Version 1, the time, no store, one container: id, engine, name and three figures, no file system.
        #expect(BlobCoding.decodeMark([1, 2, 0, 1, 0, 1, 0x63, 1, 0x64, 1, 0x6E, 2, 2, 2, 0]) == nil)
        #expect(BlobCoding.decodeMark([1, 2, 0, 0, 0]) == nil)
        #expect(BlobCoding.decodeMark([2, 2, 2, 0, 0]) == nil)
        #expect(BlobCoding.decodeMark([2, 2, 1, 0, 0]) == Mark(wall: 1))
    }

    @Test("past 256 marks the one saved longest ago is dropped")
    func bounded() throws {
        let store = try StateStore.inMemory()
        for number in 0..<256 { try store.save(Mark(wall: Int64(-number)), named: "m\(number)") }
        // Saved again, it is no longer the oldest.
        try store.save(Mark(wall: 7), named: "m0")
        try store.save(Mark(wall: 8), named: "new")
        let names = try store.markNames()
        #expect(names.count == 256)
        #expect(try store.mark(named: "m1") == nil)
        #expect(try store.mark(named: "m0") == Mark(wall: 7))
        #expect(names.first?.name == "m255")
        #expect(names.last?.name == "new" && names.last?.wall == 8)
    }

    @Test("marks together stay below the size that is allowed")
    func boundedBytes() throws {
        let store = try StateStore.inMemory()
        let name = String(repeating: "x", count: 10 << 20)
        var mark = Mark(wall: 1)
        let key = { ContainerKey(store: Samples.docker, id: $0) }
        mark.containers[key("c")] = Mark.ContainerEntry(name: name, measure: .zero)
        for number in 0..<7 { try store.save(mark, named: "m\(number)") }
        #expect(try store.markNames().map(\.name) == ["m3", "m4", "m5", "m6"])
        #expect(try store.mark(named: "m3") == mark)

        mark.containers[key("d")] = mark.containers[key("c")]
        let error = #expect(throws: StateError.self) { try store.save(mark, named: "larger") }
        #expect(error?.code == .tooLarge)
        #expect(try store.markNames().count == 4)
    }

    @Test("values are kept, replaced and forgotten")
    func values() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let (store, _) = try StateStore.open(directory: directory.path)
        try store.setValue([0, 255, 10], for: "alerts")
        try store.setValue([], for: "empty")
        try store.close()
        let (again, _) = try StateStore.open(directory: directory.path)
        #expect(try again.value(for: "alerts") == [0, 255, 10])
        #expect(try again.value(for: "empty") == [])
        try again.setValue([1], for: "alerts")
        #expect(try again.value(for: "alerts") == [1])
        try again.setValue(nil, for: "alerts")
        #expect(try again.value(for: "alerts") == nil)
    }

    @Test("a value that is too large, or one too many, is refused and changes nothing")
    func valueLimits() throws {
        let store = try StateStore.inMemory()
        try store.setValue([1], for: "k")
        let error = #expect(throws: StateError.self) {
            try store.setValue([UInt8](repeating: 0, count: StateLimit.valueBytes + 1), for: "k")
        }
        #expect(error?.code == .tooLarge)
        #expect(try store.value(for: "k") == [1])
        for number in 1..<StateLimit.values { try store.setValue([], for: "k\(number)") }
        #expect(throws: StateError.self) { try store.setValue([], for: "more") }
        #expect(try store.value(for: "more") == nil)
        try store.setValue([2], for: "k")
        #expect(try store.value(for: "k") == [2])
    }

    @Test("no bytes make reading a blob trap or reserve memory")
    func hostileBlobs() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let mark = BlobCoding.encode(Samples.mark(&generator, layers: 20, containers: 5))
        let linked = BlobCoding.encode(Samples.cached(&generator, linked: 20).measure.linkedOutside)
        for length in 0..<mark.count {
            #expect(BlobCoding.decodeMark(Array(mark.prefix(length))) == nil)
        }
        for length in 0..<linked.count {
            #expect(BlobCoding.decodeLinked(Array(linked.prefix(length))) == nil)
        }
        for _ in 0..<5000 {
            var bytes = Bool.random(using: &generator) ? mark : linked
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = BlobCoding.decodeMark(bytes)
            _ = BlobCoding.decodeLinked(bytes)
        }
        #expect(BlobCoding.decodeLinked([1] + [UInt8](repeating: 0xFF, count: 9) + [1]) == nil)
    }
}
