internal import Accounting

/// What a look at everything of a layer took.
package struct FullLook: Hashable, Sendable {
    /// When it ended, nanoseconds of the monotonic clock.
    package var end: Int64
    /// Nanoseconds from begin to end, waiting for the disk and for the processor included.
    package var duration: Int64
    /// Nanoseconds of the processor.
    package var processor: Int64
    package var inodes: Int

    /// The longest rest, nanoseconds.
    private static let longestRest: Int64 = 1_200_000_000_000

    /// What one will take with so many inodes, nanoseconds.
    func duration(of count: Int) -> Int64 { scaled(duration, to: count) }

    /// How long to do other things after one of so many inodes, nanoseconds, so that such looks take one part of
    /// `share` of a processor at most.
    ///
    /// On a busy machine a look lasts long and costs little; it may then take a third of the time.
    func rest(after count: Int, share: Int64) -> Int64 {
        let ofProcessor = scaled(processor, to: count).multipliedReportingOverflow(by: share)
        let ofTime = scaled(duration, to: count)
        return min(
            Self.longestRest,
            max(ofProcessor.overflow ? .max : ofProcessor.partialValue, ofTime.addingClamped(ofTime)))
    }

    private func scaled(_ time: Int64, to count: Int) -> Int64 {
        // What a look at few inodes takes says nothing of one at many.
        Int64(clamping: Int128(time) * Int128(count) / Int128(max(inodes, 1_000)))
    }
}
