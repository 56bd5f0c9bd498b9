import Kernel

/// The forms of ids that engines write into names and files.
enum ObjectID {
    /// Whether it is 64 lowercase hexadecimal digits.
    static func isHex64(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) }
    }

    /// Whether it can name a directory of the driver: up to 128 of `0-9`, `a-z` and `-`.
    ///
    /// It comes from a file and becomes part of a path, so it must not be able to lead anywhere else. The daemon
    /// makes 64 hexadecimal digits, with `-init` for the initial layer; BuildKit makes 25 digits of base 36.
    static func isDirectoryID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { isDigit($0) || (0x61...0x7A).contains($0) || $0 == 0x2D }
    }

    /// The hexadecimal part of `sha256:HEX`.
    static func digest(_ text: String) -> String? {
        let prefix = "sha256:"
        guard text.hasPrefix(prefix) else { return nil }
        let hex = String(text.dropFirst(prefix.count))
        return isHex64(hex) ? hex : nil
    }

    /// The text as a quotation for a message: escaped and cut.
    static func quoted(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return "'" + FileName.escape(Array(bytes.prefix(80))) + (bytes.count > 80 ? "..." : "") + "'"
    }

    /// As people write it: the first twelve digits.
    static func short(_ id: String) -> String {
        String(id.prefix(12))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte)
    }
}
