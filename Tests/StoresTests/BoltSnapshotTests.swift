import Testing
import UsageTestKit

@testable import Stores

@Suite("Parsing a bbolt database")
struct BoltSnapshotTests {
    /// All of a parsed bucket, to compare with what was written.
    static func tree(_ bucket: BoltBucket) -> BoltTree {
        var tree = BoltTree(sequence: bucket.sequence)
        for (key, value) in bucket {
            switch value {
            case .bytes(let bytes): tree.nodes[Array(key)] = .value(Array(bytes))
            case .bucket(let inner): tree.nodes[Array(key)] = .bucket(Self.tree(inner))
            }
        }
        return tree
    }

    /// Buckets of each form: inline, with branch pages, with pages that go on, in each other.
    static func sample(_ generator: inout SeededGenerator, entries: Int = 300) -> BoltTree {
        var tree = BoltTree(sequence: 3)
        for index in 0..<entries {
            let size = Int.random(in: 0...120, using: &generator)
            tree["v1", "many", "key-\(index * 7919 % entries)"] = .value(
                (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        for name in ["a", "b", "c"] {
            tree["v1", "inline", name, "size"] = .signed(Int64.random(in: -5...5_000_000, using: &generator))
            tree["v1", "inline", name, "id"] = .unsigned(UInt64.random(in: 0...1000, using: &generator))
        }
        tree["v1", "giant"] = .value(Array(repeating: 0x41, count: 20_000))
        tree["v1", "empty"] = .bucket(BoltTree(sequence: 9))
        tree["v1", "none"] = .value([])
        tree["v1", "1", "2", "3", "4"] = .text("deep")
        return tree
    }

    @Test(
        "what was written is read: any page size, inline, branch and overflow pages",
        arguments: [512, 1024, 4096, 65536])
    func readsBack(pageSize: Int) throws {
        var generator = SeededGenerator(seed: UInt64(pageSize))
        for hasFreelist in [true, false] {
            var file = BoltFileBuilder(pageSize: pageSize, hasFreelist: hasFreelist)
            #expect(Self.tree(try BoltSnapshot(file.bytes).root) == BoltTree())
            for entries in [0, 1, 40, 2000, 3] {
                let tree = Self.sample(&generator, entries: entries)
                file.commit(tree)
                let snapshot = try BoltSnapshot(file.bytes)
                #expect(Self.tree(snapshot.root) == tree, "page size \(pageSize), \(entries) entries")
                #expect(snapshot.meta.transaction == file.transaction)
            }
        }
    }

    @Test("keys come in order, and each is found; others are not")
    func finds() throws {
        var generator = SeededGenerator(seed: 4)
        let file = BoltFileBuilder(Self.sample(&generator, entries: 900), pageSize: 512)
        let many = try #require(try BoltSnapshot(file.bytes).root.bucket("v1")?.bucket("many"))
        let keys = many.map { Array($0.key) }
        #expect(keys.count == 900)
        #expect(keys == keys.sorted { $0.lexicographicallyPrecedes($1) })
        for (key, value) in many {
            guard case .bytes(let bytes) = value else {
                Issue.record("a value is a bucket")
                continue
            }
            #expect(many.value(key) == bytes)
            #expect(many.bucket(key) == nil)
        }
        for absent in ["", "key", "key-900", "key-1x", "z"] { #expect(many.value(absent) == nil) }
    }

    @Test("a file cut anywhere is refused, or has all of the transaction")
    func truncated() throws {
        var generator = SeededGenerator(seed: 5)
        var file = BoltFileBuilder(pageSize: 512)
        let first = Self.sample(&generator, entries: 60)
        file.commit(first)
        let second = Self.sample(&generator, entries: 90)
        file.commit(second)
        let bytes = file.bytes
        let lengths = Set(
            [0, 1, 15, 16, 79, 80, 511, 512, 513, 591, 592]
                + stride(from: 512, through: bytes.count, by: 512).flatMap { [$0 - 1, $0, $0 + 17] })
        for length in lengths.sorted() where length < bytes.count {
            guard let snapshot = try? BoltSnapshot(Array(bytes.prefix(length))) else { continue }
            // Cut before the second meta page the one before is the newest; its pages may have gone.
            let tree = Self.tree(snapshot.root)
            #expect(tree == second || tree == first, "cut at \(length)")
        }
        #expect(throws: BoltFault.self) { try BoltSnapshot(Array(bytes.prefix(79))) }
        #expect(throws: BoltFault.self) { try BoltSnapshot([]) }
    }

    @Test("a transaction cut short anywhere leaves the one before, whole", arguments: [UInt64(1), 2, 3])
    func halfWritten(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var file = BoltFileBuilder(pageSize: 512, hasFreelist: seed != 2)
        var last = BoltTree()
        for _ in 0..<4 {
            let next = Self.sample(&generator, entries: Int.random(in: 0...80, using: &generator))
            var half = file
            let writes = file.writes(of: next)
            for (index, write) in writes.enumerated() {
                // The kernel may have a part of a page written.
                let part = Int.random(in: 0...write.bytes.count, using: &generator)
                var torn = half
                torn.apply(.init(offset: write.offset, bytes: Array(write.bytes.prefix(part))))
                let read = Self.tree(try BoltSnapshot(torn.bytes).root)
                let isLast = index == writes.count - 1
                #expect(
                    read == last || isLast && read == next,
                    "seed \(seed), write \(index) of \(writes.count), \(part) bytes of it")
                half.apply(write)
            }
            #expect(Self.tree(try BoltSnapshot(half.bytes).root) == next, "seed \(seed)")
            file.commit(next)
            last = next
        }
    }

    @Test("flipped bits are refused, or leave a database of the same shape", arguments: [UInt64(1), 2, 3, 4])
    func flippedBits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let tree = Self.sample(&generator, entries: 80)
        let file = BoltFileBuilder(tree, pageSize: 512)
        for _ in 0..<400 {
            var bytes = file.bytes
            let flipped = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] ^= 1 << Int.random(in: 0..<8, using: &generator)
                return place
            }
            guard let snapshot = try? BoltSnapshot(bytes) else { continue }
            let read = Self.tree(snapshot.root)
            // Only meta pages have a checksum: the newest that is damaged gives way to the one before.
            if flipped.allSatisfy({ $0 >= 1024 }) {
                #expect(snapshot.meta.transaction == file.transaction, "seed \(seed), \(flipped)")
            } else if flipped.allSatisfy({ $0 < 1024 }) {
                #expect(read == tree || read == BoltTree(), "seed \(seed), \(flipped)")
            }
        }
    }

    @Test("pages that lead to each other are refused: a branch to itself, two places to one page")
    func cycles() throws {
        var tree = BoltTree()
        for index in 0..<200 { tree["b", "key-\(index)"] = .text("value") }
        let file = BoltFileBuilder(tree, pageSize: 512)
        let branch = try #require(
            (2..<(file.bytes.count / 512)).first {
                file.bytes[$0 * 512 + 8] == 1 && file.used.contains(UInt64($0))
            })
        for target in [branch, 2, 0, 1, 100_000] {
            var bytes = file.bytes
            bytes.replaceSubrange(
                (branch * 512 + 16 + 8)..<(branch * 512 + 16 + 16), with: number(UInt64(target)))
            #expect(throws: BoltFault.self, "child \(target)") { try BoltSnapshot(bytes) }
        }
        var bytes = file.bytes
        let second = Array(bytes[(branch * 512 + 32 + 8)..<(branch * 512 + 32 + 16)])
        bytes.replaceSubrange((branch * 512 + 16 + 8)..<(branch * 512 + 16 + 16), with: second)
        #expect(throws: BoltFault.self, "one child twice") { try BoltSnapshot(bytes) }
    }

    @Test("a bucket that is its own page, and buckets without end, are refused")
    func nestedCycles() throws {
        var tree = BoltTree()
        for index in 0..<20 {
            tree["outer", "inner", "key-\(index)"] = .value(Array(repeating: 1, count: 20))
        }
        let file = BoltFileBuilder(tree, pageSize: 512)
        let root = try BoltSnapshot(file.bytes).meta.root
        // The value of the root's one element, behind the key "outer", is the bucket's page.
        let place = Int(root) * 512 + 16 + 16 + 5
        var bytes = file.bytes
        bytes.replaceSubrange(place..<(place + 8), with: number(root))
        #expect(throws: BoltFault.damaged(page: root, "two places lead to it")) { try BoltSnapshot(bytes) }

        var deep = BoltTree(nodes: [[1]: .value([2])])
        for _ in 0..<100 { deep = BoltTree(nodes: [[1]: .bucket(deep)]) }
        #expect(throws: BoltFault.self) { try BoltSnapshot(BoltFileBuilder(deep, pageSize: 512).bytes) }
    }

    @Test(
        "a bucket inside of its parent's page is refused where it is too deep, or shorter than a page's head")
    func inlineBuckets() throws {
        var deep = BoltTree(nodes: [[1]: .value([2])])
        var fault: BoltFault?
        // One more at a time: the innermost, which alone is inline, is the first that is too deep.
        for _ in 0..<100 where fault == nil {
            deep = BoltTree(nodes: [[1]: .bucket(deep)])
            do { _ = try BoltSnapshot(BoltFileBuilder(deep, pageSize: 512).bytes) } catch { fault = error }
        }
        #expect(
            "\(try #require(fault))".contains("buckets lie deeper than \(BoltSnapshot.maximumDepth) pages"))

        let file = BoltFileBuilder(
            BoltTree(nodes: [[1]: .bucket(BoltTree(nodes: [[1]: .value([2])]))]), pageSize: 512)
        let root = try BoltSnapshot(file.bytes).meta.root
        var bytes = file.bytes
        // The length of the value of the root's one element: a bucket's head of 16 bytes, and no page's of 16.
        bytes[Int(root) * 512 + 16 + 12] = 31
        #expect(throws: BoltFault.damaged(page: root, "an inline bucket is cut")) { try BoltSnapshot(bytes) }
    }

    @Test("a meta page needs its magic number, version, page size and checksum")
    func metas() throws {
        let file = BoltFileBuilder(BoltTree(nodes: [[1]: .value([2])]), pageSize: 512)
        #expect(file.transaction == 2)
        for offset in 16..<80 {
            var bytes = file.bytes
            bytes[offset] ^= 0x10
            let snapshot = try BoltSnapshot(bytes)
            #expect(snapshot.meta.transaction == 1, "byte \(offset)")
            #expect(snapshot.root.isEmpty)
            bytes[512 + offset] ^= 0x10
            #expect(throws: BoltFault.noMeta, "byte \(offset)") { try BoltSnapshot(bytes) }
        }
    }

    private func number(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}
