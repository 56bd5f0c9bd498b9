/// How often a layer is looked at that changes all the time.
///
/// A look costs the same however much was written since the last one, and whoever reads the figure of such a layer
/// cannot tell whether it is 30 or 120 ms old. One that rests now and then is looked at in each batch.
struct Pace {
    /// So many batches without a pause make a layer busy: half a second.
    static let patience = 16
    /// A busy layer is looked at once in the time of so many batches.
    static let batches: Int64 = 4

    private var lastLook: Int64 = 0
    private var looksInRow = 0

    var isBusy: Bool { looksInRow >= Self.patience }

    /// When the next batch may look at it; `interval` is the time from one batch to the next.
    func next(interval: Int64) -> Int64 {
        isBusy ? lastLook + Self.batches * interval : lastLook
    }

    /// Takes note of a look at `now`.
    mutating func note(_ now: Int64, interval: Int64) {
        let pause = now - next(interval: interval)
        looksInRow = pause <= 2 * interval ? looksInRow + 1 : 0
        lastLook = now
    }
}
