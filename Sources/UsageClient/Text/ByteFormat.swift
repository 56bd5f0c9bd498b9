internal import Glibc

/// How sizes are printed.
///
/// `decimal` is what Docker prints: four significant digits without trailing zeros, units of 1000
/// (`HumanSize` of docker/go-units, `%.4g`). `binary` is the same with units of 1024 (its `BytesSize`).
public enum ByteFormat: Hashable, Sendable {
    case decimal, binary, exact

    private static let decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    private static let binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// The size with its unit: `227.9MB`, `217.3MiB` or `227877825B`.
    ///
    /// `separator` stands between number and unit; Docker 1.x put a space into trees.
    public func string(_ bytes: Int64, separator: String = "") -> String {
        switch self {
        case .exact: "\(bytes)\(separator)B"
        case .decimal: Self.scaled(bytes, by: 1000, Self.decimalUnits, separator)
        case .binary: Self.scaled(bytes, by: 1024, Self.binaryUnits, separator)
        }
    }

    /// A change with its sign: `+20MB`, `-3.1MB`, `0B`.
    public func signed(_ bytes: Int64) -> String {
        (bytes > 0 ? "+" : "") + string(bytes)
    }

    private static func scaled(
        _ bytes: Int64, by base: Double, _ units: [String], _ separator: String
    ) -> String {
        // Divides step by step, as the original does, so that the last digit rounds the same way.
        var value = Double(bytes.magnitude)
        var unit = 0
        while value >= base, unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return (bytes < 0 ? "-" : "") + fourDigits(value) + separator + units[unit]
    }

    private static func fourDigits(_ value: Double) -> String {
        var buffer = [UInt8](repeating: 0, count: 32)
        let length = buffer.withUnsafeMutableBytes { buffer in
            withVaList([value]) { arguments in
                vsnprintf(
                    buffer.assumingMemoryBound(to: CChar.self).baseAddress, buffer.count, "%.4g", arguments)
            }
        }
        return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
    }
}

/// A share as whole percent, `-` where there is no whole.
func percent(_ part: Int64, of whole: Int64) -> String {
    guard whole > 0 else { return "-" }
    let share = min(max(Double(part) / Double(whole) * 100, -9999), 9999)
    return share > 0 && share < 0.5 ? "<1%" : "\(Int(share.rounded()))%"
}
