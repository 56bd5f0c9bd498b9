internal import Glibc

/// The name of one directory entry: bytes, as the kernel has them.
///
/// A container chooses its names, so they may hold anything but `/` and NUL: newlines, escape codes,
/// invalid UTF-8. They are compared and stored as bytes and printed through ``escaped``.
public struct FileName: Hashable, Sendable {
    /// The bytes of the name, without a terminating NUL.
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ string: String) {
        self.bytes = Array(string.utf8)
    }

    /// Whether these are the bytes of the name.
    public func hasBytes(_ other: UnsafeRawBufferPointer) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard bytes.count == other.count, let first = bytes.baseAddress, let second = other.baseAddress
            else { return bytes.isEmpty && other.isEmpty }
            return memcmp(first, second, bytes.count) == 0
        }
    }

    /// Whether the name is `.` or `..`.
    public var isDot: Bool {
        bytes == [0x2E] || bytes == [0x2E, 0x2E]
    }

    /// The name as printable text: valid UTF-8 without control characters as it is, every other byte as `\xNN`.
    public var escaped: String {
        FileName.escape(bytes)
    }

    /// Escapes bytes for a terminal or a log line; a backslash is doubled, so that the text is unambiguous.
    public static func escape(_ bytes: [UInt8]) -> String {
        guard bytes.contains(where: { $0 < 0x20 || $0 >= 0x7F || $0 == 0x5C }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = ""
        text.reserveCapacity(bytes.count + 8)
        var rest = bytes[...]
        while let first = rest.first {
            if let (scalar, length) = decodeScalar(rest), scalar.isPrintable {
                if scalar == "\\" { text.unicodeScalars.append("\\") }
                text.unicodeScalars.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                text += hex(first)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    /// As ``escape(_:)``, but with every byte that is not ASCII escaped, so that equal texts are equal bytes.
    public static func escapeAll(_ bytes: [UInt8]) -> String {
        bytes.map { $0 < 0x80 ? escape([$0]) : hex($0) }.joined()
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }

    private static func decodeScalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        var decoder = UTF8()
        var iterator = bytes.prefix(4).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return (scalar, UTF8.width(scalar))
    }
}

extension FileName: CustomStringConvertible {
    public var description: String { escaped }
}

extension Unicode.Scalar {
    /// Whether the scalar shows as itself: no control, format (bidirectional override), surrogate or
    /// unassigned character, which could rewrite what a terminal shows.
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            false
        default: true
        }
    }
}
