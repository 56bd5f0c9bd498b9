@testable import Stores

extension FuzzTarget {
    /// A bbolt database, as containerd and Docker keep them; it is read from a disk that others may have written.
    ///
    /// The checksums of the meta pages are made right first, so that the pages behind them are reached.
    static let bolt = FuzzTarget(name: "bolt") { bytes in
        var input = FuzzInput(bytes)
        let isRepaired = input.byte() % 2 == 1
        var file = Array(input.rest)
        if isRepaired { repair(&file) }
        guard let snapshot = try? BoltSnapshot(file) else { return }
        var budget = file.count
        try check(snapshot.root, depth: 0, &budget)
        try require(snapshot.meta.root < snapshot.meta.highWater, "the root is a page of the database")
    }

    /// Every bucket is in order, finds what it lists, and all of them hold no more than the file has bytes.
    private static func check(_ bucket: BoltBucket, depth: Int, _ budget: inout Int) throws {
        try require(depth <= BoltSnapshot.maximumDepth, "buckets end")
        var last: ArraySlice<UInt8>?
        for (key, value) in bucket {
            if let last { try require(last.lexicographicallyPrecedes(key), "keys are in order") }
            last = key
            switch value {
            case .bytes(let bytes):
                budget -= 16 + key.count + bytes.count
                try require(bucket.value(key) == bytes, "a value is found by its key")
            case .bucket(let inner):
                budget -= 16 + key.count
                try require(bucket.bucket(key)?.index == inner.index, "a bucket is found by its key")
                try check(inner, depth: depth + 1, &budget)
            }
            try require(budget >= 0, "nothing is read twice")
        }
    }

    private static func repair(_ file: inout [UInt8]) {
        for page in [0] + BoltMeta.secondOffsets where page + BoltMeta.extent <= file.count {
            let start = page + 16
            guard file[start..<(start + 4)].elementsEqual([0xED, 0xDA, 0x0C, 0xED]) else { continue }
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in file[start..<(start + 56)] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            for index in 0..<8 { file[start + 56 + index] = UInt8(truncatingIfNeeded: hash >> (index * 8)) }
        }
    }
}
