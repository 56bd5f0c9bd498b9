import Kernel
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Entries of a directory")
struct EntryTableTests {
    /// Names of which many begin like others; any byte but NUL and the slash.
    private static func name(_ random: inout SeededGenerator) -> FileName {
        let alphabet: [UInt8] = [0x61, 0x62, 0x0A, 0xFF]
        let length = Int.random(in: 0..<20, using: &random) == 0 ? 255 : Int.random(in: 1..<8, using: &random)
        return FileName(bytes: (0..<length).map { _ in alphabet[Int.random(in: 0..<4, using: &random)] })
    }

    @Test(
        "after any additions and removals it holds what an array and a dictionary hold",
        arguments: [8, 40, 2_000])
    func randomly(_ size: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var table = EntryTable()
        var slots: [(name: FileName, inode: UInt64)] = []
        var model: [FileName: UInt64] = [:]
        for target in [size, 0, size, size / 8, size / 2, 1, size] {
            while slots.count != target {
                let name = Self.name(&random)
                #expect(table.slot(of: name).map(table.inode) == model[name], "seed \(seed)")
                // Towards the target, three steps in four.
                if slots.isEmpty || (Int.random(in: 0..<4, using: &random) < 3) == (slots.count < target) {
                    guard model[name] == nil else { continue }
                    let inode = UInt64.random(in: 0...UInt64.max, using: &random)
                    #expect(table.append(name, inode) == slots.count, "seed \(seed)")
                    slots.append((name, inode))
                    model[name] = inode
                } else {
                    let slot = Int.random(in: 0..<slots.count, using: &random)
                    model[slots[slot].name] = nil
                    slots.swapAt(slot, slots.count - 1)
                    slots.removeLast()
                    let moved = slot < slots.count ? slots[slot].inode : nil
                    #expect(table.remove(at: slot) == moved, "seed \(seed)")
                }
            }
            #expect(table.count == slots.count, "seed \(seed)")
            for (slot, entry) in slots.enumerated() {
                #expect(table.slot(of: entry.name) == slot, "seed \(seed)")
                #expect(table.name(at: slot) == entry.name, "seed \(seed)")
                #expect(table.inode(at: slot) == entry.inode, "seed \(seed)")
            }
        }
    }

    @Test("a name that is the begin of another, or goes on, is another")
    func prefixes() {
        var table = EntryTable()
        let names = ["ab", "abc", "a", "b", "bc", "c"].map(FileName.init(_:))
        for (index, name) in names.enumerated() {
            #expect(table.slot(of: name) == nil)
            table.append(name, UInt64(index))
        }
        #expect(names.map { table.slot(of: $0) } == Array(0..<6))
        #expect(table.slot(of: FileName(bytes: [])) == nil)
    }

    @Test("names come with a quarter to spare, and what went is given back")
    func size() {
        // What the allocator rounds up: a page at most.
        let rounding = 4_096
        var table = EntryTable()
        for index in 0..<20_000 {
            table.append(FileName("name-\(index)"), 1)
            #expect(table.capacity.entries * 16 <= table.count * 16 * 5 / 4 + rounding)
            #expect(table.capacity.names <= table.count * 11 * 5 / 4 + rounding)
        }
        while table.count > 0 {
            table.remove(at: table.count / 2)
            #expect(table.capacity.entries * 16 <= table.count * 16 * 2 + rounding)
            #expect(table.capacity.names <= table.count * 11 * 5 / 2 + rounding)
            #expect(table.capacity.words <= max(16, table.count * 4))
        }
        #expect(table.capacity == (0, 0, 0))
    }

    @Test("names that come and go for long take no more than those that are there")
    func churn() {
        var table = EntryTable()
        var most = (entries: 0, names: 0)
        for index in 0..<200_000 {
            table.append(FileName("some-name-\(index)"), UInt64(index))
            if table.count > 10 { table.remove(at: index % table.count) }
            most = (max(most.entries, table.capacity.entries), max(most.names, table.capacity.names))
        }
        #expect(table.count == 10)
        #expect(most.entries <= 32)
        #expect(most.names <= 512)
    }
}
