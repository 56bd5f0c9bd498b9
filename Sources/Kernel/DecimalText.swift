/// Numbers as files of `/proc` write them.
enum DecimalText {
    /// The number that all of `digits` is; `nil` where there is anything else, or too much.
    static func number<Number: FixedWidthInteger>(
        _ digits: ArraySlice<UInt8>, as type: Number.Type, radix: Number = 10
    ) -> Number? {
        guard !digits.isEmpty else { return nil }
        var value: Number = 0
        for byte in digits {
            guard let digit = digit(byte), digit < radix else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(Number(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
