@testable import Settings

extension FuzzTarget {
    /// One value of the configuration, read as each kind of value.
    static let settingsText = FuzzTarget(name: "settings-text") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let size = try read(text, SettingsText.bytes)
        try require(size == plainSize(text), "\(text.debugDescription) is \(String(describing: size)) bytes")
        if let duration = try read(text, SettingsText.milliseconds) {
            try require(duration >= 0, "\(text.debugDescription) is \(duration) ms")
            let written = SettingsText.duration(milliseconds: duration)
            try require(
                try read(written, SettingsText.milliseconds) == duration, "\(duration) ms reads as \(written)"
            )
        }
        if let path = try read(text, SettingsText.absolutePath) {
            let parts = path.utf8.split(separator: UInt8(ascii: "/")).map {
                String(decoding: $0, as: UTF8.self)
            }
            try require(
                path.utf8.first == UInt8(ascii: "/") && !parts.contains("..") && !parts.contains(".")
                    && path.utf8.count < 4096 && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F },
                "\(path.debugDescription) is a path that leads nowhere else")
        }
        try requirePrintable(SettingsText.quote(text))
        _ = try read(text, Settings.Store.init)
    }

    /// The value, or `nil` where it is refused with a reason that can be printed.
    private static func read<Value>(
        _ text: String, _ take: (String) throws(SettingsText.Rejection) -> Value
    ) throws -> Value? {
        do throws(SettingsText.Rejection) {
            return try take(text)
        } catch {
            try requirePrintable(error.description)
            return nil
        }
    }

    /// The size by plain arithmetic on 128 bits: digits, at most nine decimals of which count, spaces, a unit.
    private static func plainSize(_ text: String) -> Int64? {
        let units: [String: (UInt128, whole: Bool)] = [
            "": (1, true), "b": (1, false), "kb": (1000, false), "mb": (1_000_000, false),
            "gb": (1_000_000_000, false), "tb": (1_000_000_000_000, false),
            "pb": (1_000_000_000_000_000, false), "kib": (1 << 10, false), "mib": (1 << 20, false),
            "gib": (1 << 30, false), "tib": (1 << 40, false), "pib": (1 << 50, false),
        ]
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let number = text.utf8.prefix { digits.contains($0) || $0 == UInt8(ascii: ".") }
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let rest = String(decoding: text.utf8.dropFirst(number.count).drop { $0 == 0x20 }, as: UTF8.self)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }),
            let (factor, whole) = units[rest.lowercased()], parts.count == 1 || !whole
        else { return nil }
        let places = parts.map { String(decoding: $0, as: UTF8.self) }
        let fraction = places.count > 1 ? String(places[1].prefix(9)) : ""
        let significant = (places[0] + fraction).drop { $0 == "0" }
        // As many digits as an Int64 takes, for the reader counts in one.
        guard significant.count <= 19, let value = UInt128(significant.isEmpty ? "0" : significant),
            value <= UInt128(Int64.max)
        else { return nil }
        let scale = fraction.utf8.reduce(UInt128(1)) { scale, _ in scale * 10 }
        return Int64(exactly: value * factor / scale)
    }
}
