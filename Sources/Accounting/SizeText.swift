/// Sizes as Docker prints them, for messages.
///
/// They read as those in the client's tables do: `HumanSize` of docker/go-units, `%.4g` with units of 1000.
public enum SizeText {
    private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

    /// Four significant digits without trailing zeros: `20.97MB`, `-3.1MB`, `0B`.
    public static func decimal(_ bytes: Int64) -> String {
        // Divides step by step, as the original does, so that the last digit rounds the same way.
        var value = Double(bytes.magnitude)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return (bytes < 0 ? "-" : "") + fourDigits(value) + units[unit]
    }

    /// `%.4g` of a value from 1 to less than 1000, or 0.
    private static func fourDigits(_ value: Double) -> String {
        let decimals = value < 10 ? 3 : value < 100 ? 2 : 1
        let scale: UInt64 = decimals == 3 ? 1000 : decimals == 2 ? 100 : 10
        // The value is significand / 2^shift, so that its digits are found without a rounding on the way: the
        // product with 1000 needs 63 bits.
        let shift = UInt64(Double.significandBitCount) - UInt64(max(0, value.exponent))
        let product = UInt64(value * Double(sign: .plus, exponent: Int(shift), significand: 1)) * scale
        let half: UInt64 = 1 << (shift - 1)
        let rest = product & (half << 1 - 1)
        var digits = product >> shift
        if rest > half || (rest == half && digits % 2 == 1) { digits += 1 }

        let fraction = String(digits % scale)
        let zeros = String(repeating: "0", count: decimals - fraction.utf8.count)
        var text = "\(digits / scale).\(zeros)\(fraction)"
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }
}
