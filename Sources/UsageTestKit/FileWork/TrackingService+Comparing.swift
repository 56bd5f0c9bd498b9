package import Accounting
package import Tracking

extension TrackingService {
    /// Asks for a layer's figure until the answer lacks nothing, and walks the layer's directory.
    ///
    /// The kernel changes blocks at writeback and after; where a walk before the question and one after it differ,
    /// both count for nothing. A busy machine may delay an answer that lacks nothing, so there may be several.
    /// `prepare` runs before each.
    ///
    /// While ext4 or btrfs write a file back, its status counts blocks too many or too few for a moment, which the answer
    /// alone may have seen. Without `prepare`, where nothing but blocks differ, all is written back and the next answer counts.
    package func compare(
        _ key: LayerKey, with directory: String, deadline: Duration = .seconds(60),
        prepare: (() throws -> Void)? = nil, figure: (LayerKey) -> Measure?
    ) async throws -> (figure: Measure?, truth: Measure) {
        var unsettled: Set<LayerKey>?
        var mayBeTransient = prepare == nil
        let end = ContinuousClock.now + deadline * Sanitizer.slowdown
        while ContinuousClock.now < end {
            try prepare?()
            let before = try await FullWalk.measure(directory).total
            unsettled = await barrier()
            let told = figure(key)
            let truth = try await FullWalk.measure(directory).total
            guard before == truth, unsettled?.contains(key) == false else { continue }
            guard mayBeTransient, let told, told != truth, told.sizeBytes == truth.sizeBytes,
                told.inodes == truth.inodes
            else { return (told, truth) }
            try await DiskUsage.sync(directory)
            mayBeTransient = false
        }
        throw WaitFailure(
            description: "no answer within \(deadline) that lacks nothing of \(key.id): "
                + "\(unsettled.map { "\($0.map(\.id))" } ?? "none in time"); \(counters)")
    }
}
