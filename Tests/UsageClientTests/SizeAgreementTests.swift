import Accounting
import Testing
import UsageClient

/// The daemon's messages and the client's tables stand side by side: the same size must read the same in both.
@Suite("sizes in messages and tables")
struct SizeAgreementTests {
    @Test("both print the same text, around every unit and every rounding")
    func agree() {
        var sizes: [Int64] = [0, 1, -1, .max, .min, 1000, 20_971_520, 227_877_825, 1_000_500, 1_001_500]
        var unit: Int64 = 1
        for _ in 0..<18 {
            // Halves of the last digit are where roundings part.
            for factor: Int64 in [1, 5, 9, 10, 999, 9995, 9999, 10005, 10015, 12345, 99995, 99985] {
                let (size, overflow) = unit.multipliedReportingOverflow(by: factor)
                guard !overflow else { continue }
                sizes += (-2...2).map { size &+ $0 }
            }
            unit *= 10
        }
        sizes += sizes.map { 0 &- $0 }
        for size in sizes {
            #expect(SizeText.decimal(size) == ByteFormat.decimal.string(size), "\(size)")
        }
    }

    @Test("both print the same text for random sizes")
    func agreeAtRandom() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let size = Int64(bitPattern: generator.next()) >> Int64.random(in: 0..<63, using: &generator)
            let (one, other) = (SizeText.decimal(size), ByteFormat.decimal.string(size))
            if one != other { Issue.record("\(size): \(one) in messages, \(other) in tables") }
        }
    }
}
