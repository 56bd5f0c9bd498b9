internal import CSystemd
internal import Glibc

/// Sends entries to journald by its native protocol.
enum JournalSocket {
    /// Sends one entry; blocks while journald's queue is full.
    ///
    /// The corresponding C function is `sd_journal_sendv`, which takes any bytes in a value and passes a
    /// large entry in a sealed file. It reports success where no journald runs.
    /// - Returns: Whether the entry was taken.
    static func send(_ fields: [JournalField]) -> Bool {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>] = []
        for field in fields {
            let start = bytes.count
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(0x3D)
            bytes.append(contentsOf: field.value.utf8)
            ranges.append(start..<bytes.count)
        }
        return bytes.withUnsafeMutableBytes { buffer in
            let vectors = ranges.map {
                iovec(iov_base: buffer.baseAddress?.advanced(by: $0.lowerBound), iov_len: $0.count)
            }
            return sd_journal_sendv(vectors, Int32(vectors.count)) >= 0
        }
    }
}
