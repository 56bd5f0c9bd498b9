/// Cuts a stream of bytes into lines of bounded length.
struct LineSplitter {
    struct TooLong: Error, Hashable, Sendable {
        var limit: Int
    }

    let limit: Int
    private var rest: [UInt8] = []
    private var lines: [[UInt8]] = []
    private var next = 0

    init(limit: Int) {
        self.limit = limit
    }

    mutating func receive(_ bytes: [UInt8]) throws(TooLong) {
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard rest.count + (end - start) <= limit else { throw TooLong(limit: limit) }
            rest.append(contentsOf: bytes[start..<end])
            if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
            lines.append(rest)
            rest = []
            start = end + 1
        }
        guard rest.count + (bytes.endIndex - start) <= limit else { throw TooLong(limit: limit) }
        rest.append(contentsOf: bytes[start...])
    }

    /// The next line without its end; empty lines are passed over.
    mutating func nextLine() -> [UInt8]? {
        while next < lines.count {
            defer { next += 1 }
            if !lines[next].isEmpty { return lines[next] }
        }
        lines = []
        next = 0
        return nil
    }
}
