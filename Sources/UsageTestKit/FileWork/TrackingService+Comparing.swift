package import Accounting
package import Tracking

extension TrackingService {
    /// Asks for a layer's figure until the answer lacks nothing, and walks the layer's directory.
    ///
    /// The kernel changes blocks at writeback and after; where a walk before the question and one after it differ,
    /// both count for nothing. A busy machine may delay an answer that lacks nothing, so there may be several.
    /// `prepare` runs before each.
    package func compare(
        _ key: LayerKey, with directory: String, deadline: Duration = .seconds(60),
        prepare: () throws -> Void = {}, figure: (LayerKey) -> Measure?
    ) async throws -> (figure: Measure?, truth: Measure) {
        var unsettled: Set<LayerKey>?
        let end = ContinuousClock.now + deadline * Sanitizer.slowdown
        while ContinuousClock.now < end {
            try prepare()
            let before = try await FullWalk.measure(directory).total
            unsettled = await barrier()
            let told = figure(key)
            let truth = try await FullWalk.measure(directory).total
            if before == truth, unsettled?.contains(key) == false { return (told, truth) }
        }
        throw WaitFailure(
            description: "no answer within \(deadline) that lacks nothing of \(key.id): "
                + "\(unsettled.map { "\($0.map(\.id))" } ?? "none in time")")
    }
}
