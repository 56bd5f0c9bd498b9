internal import Glibc

/// One line of `/proc/PID/maps` about a file whose name has gone.
struct MappedFile: Hashable {
    /// As the kernel told it there: which inode this is, but not always by the numbers that `stat` gives.
    struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    static let deletedMark = Array(" (deleted)".utf8)

    let key: Key
    /// The name of its link in `/proc/PID/map_files`.
    let range: FileName
    /// Its path without the mark that it was deleted.
    let path: [UInt8]

    /// Parses a line of `proc(5)`: `7f2e..-7f2e.. r--p 00000000 08:02 173521 /usr/lib/libc.so (deleted)`.
    ///
    /// `nil` where it is about no file, one that has its name, or damaged.
    init?(parsing line: ArraySlice<UInt8>) {
        guard line.suffix(Self.deletedMark.count).elementsEqual(Self.deletedMark) else { return nil }
        let fields = line.split(separator: 0x20, maxSplits: 5, omittingEmptySubsequences: true)
        guard fields.count == 6 else { return nil }
        let device = fields[3].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard device.count == 2, let major = DecimalText.number(device[0], as: UInt32.self, radix: 16),
            let minor = DecimalText.number(device[1], as: UInt32.self, radix: 16),
            let inode = DecimalText.number(fields[4], as: UInt64.self), inode != 0,
            let range = Self.range(fields[0])
        else { return nil }
        key = Key(device: FileStatus.device(major: major, minor: minor), inode: inode)
        self.range = range
        path = Array(fields[5].drop { $0 == 0x20 }.dropLast(Self.deletedMark.count))
    }

    /// The files of `maps` whose names have gone, each once.
    static func all(parsing bytes: [UInt8]) -> [MappedFile] {
        var seen: Set<Key> = []
        return markedLines(bytes).compactMap { MappedFile(parsing: bytes[$0]) }
            .filter { seen.insert($0.key).inserted }
    }

    /// The few lines among many that end as one about a deleted file does.
    private static func markedLines(_ bytes: [UInt8]) -> [Range<Int>] {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return [] }
            var lines: [Range<Int>] = []
            var next = 0
            while let found = memchr(base + next, Int32(UInt8(ascii: ")")), buffer.count - next) {
                let end = base.distance(to: UnsafeRawPointer(found)) + 1
                if end == buffer.count || buffer[end] == UInt8(ascii: "\n") {
                    let start = buffer[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                    lines.append(start..<end)
                }
                next = end
            }
            return lines
        }
    }

    /// `map_files` writes addresses without the zeros that `maps` pads them with.
    private static func range(_ field: ArraySlice<UInt8>) -> FileName? {
        let ends = field.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2, let start = DecimalText.number(ends[0], as: UInt64.self, radix: 16),
            let end = DecimalText.number(ends[1], as: UInt64.self, radix: 16)
        else { return nil }
        return FileName("\(String(start, radix: 16))-\(String(end, radix: 16))")
    }
}
