internal import Accounting

/// Why an answer is not exact; one that is has no reason.
struct InexactReasons {
    /// Whether the stores' metadata was read after the question was asked.
    var areStoresRead: Bool
    /// Whether each was ever read.
    var wereAllRead: Bool
    var storeMilliseconds: Int
    /// Layers whose figures may lack something; `nil` where that was not found out in time.
    var unsettled: Set<LayerKey>?
    var barrierMilliseconds: Int
    var snapshot: UsageSnapshot

    var list: [String] {
        var reasons: [String] = []
        if !areStoresRead {
            reasons.append(
                wereAllRead
                    ? "a store's metadata was not read within \(storeMilliseconds) ms"
                    : "the stores are being read for the first time")
        }
        if unsettled == nil {
            reasons.append("queued changes were not applied within \(barrierMilliseconds) ms")
        }
        for source in snapshot.sources where source.confidence != .exact {
            let why = source.confidence.reason ?? source.waiting ?? "changes are not looked at yet"
            reasons.append(
                "\(source.store.engine) at \(source.store.root) is \(source.confidence.word): \(why)")
        }
        let waiting = (unsettled ?? []).filter { snapshot.layers[$0]?.confidence == .exact }
        if !waiting.isEmpty {
            reasons.append("\(waiting.count) layers have changes that are not looked at yet")
        }
        return reasons
    }
}
