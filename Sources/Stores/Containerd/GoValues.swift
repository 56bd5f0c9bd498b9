import FoundationEssentials

/// Values as Go's standard library writes them into a database.
enum GoValues {
    /// `binary.Uvarint`; `nil` where the bytes are not one number and nothing else.
    static func unsigned(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            // Of the tenth byte one bit is left.
            guard index < 9 || index == 9 && byte <= 1 else { return nil }
            number |= UInt64(byte & 0x7F) << (7 * UInt64(index))
            if byte < 0x80 { return index + 1 == bytes.count ? number : nil }
        }
        return nil
    }

    /// `binary.Varint`, zig-zag.
    static func signed(_ bytes: ArraySlice<UInt8>) -> Int64? {
        unsigned(bytes).map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    /// `time.Time.MarshalBinary` as RFC 3339 in UTC, to the second.
    static func time(_ bytes: ArraySlice<UInt8>) -> String? {
        let bytes = Array(bytes)
        guard bytes.count >= 15, bytes[0] == 1 || bytes[0] == 2 else { return nil }
        let seconds = bytes[1...8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        // Go counts from the year 1; what is beyond the year 9999 is no time.
        let (unix, overflow) = seconds.subtractingReportingOverflow(62_135_596_800)
        guard !overflow, (0..<253_402_300_800).contains(unix) else { return nil }
        return Date(timeIntervalSince1970: Double(unix)).formatted(.iso8601)
    }
}

extension ArraySlice<UInt8> {
    /// The text, where it is UTF-8.
    var text: String? { String(validating: self, as: UTF8.self) }
}
