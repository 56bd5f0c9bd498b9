import Accounting
import Foundation
import History
import Testing
import UsageTestKit

@Suite("State on a full or read-only disk", .enabled(if: TinyFileSystem.isPossible, "mounting needs root"))
struct FullDiskTests {
    @Test("a disk too small for the database gives an error, not a crash")
    func tooSmall() throws {
        let disk = try TinyFileSystem(kilobytes: 16)
        defer { disk.remove() }
        let error = #expect(throws: StateError.self) { _ = try StateStore.open(directory: disk.path) }
        #expect(error?.code == .full, "\(String(describing: error))")
        #expect(error?.description.contains("free space") == true)
    }

    @Test("when the disk fills up, a save fails whole, what was saved stays, and later saves work again")
    func fillsUp() throws {
        let disk = try TinyFileSystem(kilobytes: 1024)
        defer { disk.remove() }
        let (store, _) = try StateStore.open(directory: disk.path)
        var generator = SeededGenerator(seed: 20)
        let first = Samples.cached(&generator)
        try store.save([(id: "first", first)], of: Samples.docker)

        let ballast = disk.path + "/ballast"
        let handle = try #require(
            FileManager.default.createFile(atPath: ballast, contents: nil)
                ? FileHandle(forWritingAtPath: ballast) : nil)
        while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
        try handle.close()

        let many = (0..<2000).map { _ in (id: Samples.digest(&generator), Samples.cached(&generator)) }
        for _ in 0..<3 {
            let error = #expect(throws: StateError.self) { try store.save(many, of: Samples.docker) }
            #expect(error?.code == .full)
            #expect(error?.sqliteCode != nil)
            #expect(try store.layerMeasures(of: Samples.docker) == ["first": first])
        }
        try FileManager.default.removeItem(atPath: ballast)
        try store.save(Array(many.prefix(100)), of: Samples.docker)
        #expect(try store.layerMeasures(of: Samples.docker).count == 101)
    }

    @Test("a read-only disk is told when the database is opened")
    func readOnly() throws {
        let disk = try TinyFileSystem(kilobytes: 1024)
        defer { disk.remove() }
        let (store, _) = try StateStore.open(directory: disk.path)
        try store.setValue([1], for: "x")
        try store.close()
        try disk.makeReadOnly()
        let error = #expect(throws: StateError.self) { _ = try StateStore.open(directory: disk.path) }
        #expect(error.map { $0.code == .readOnly || $0.code == .notPermitted } == true)
    }

    @Test("the database may not grow past its own limit")
    func ownLimit() throws {
        let store = try StateStore.inMemory()
        let block = [UInt8](repeating: 7, count: 4 << 20)
        let error = #expect(throws: StateError.self) {
            for number in 0..<64 { try store.setValue(block, for: "\(number)") }
        }
        #expect(error?.code == .full)
        #expect(try store.value(for: "0") == block)
    }
}
