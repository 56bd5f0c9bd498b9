internal import Accounting
internal import Synchronization

/// How many names of files and directories all layers together may hold in memory.
///
/// Each costs about 90 bytes, and containers decide how many there are. A layer gets what others leave, but no
/// more than half of all, so that one cannot take it from the rest; a small one always has room.
final class InodeBudget: Sendable {
    private static let alwaysAllowed = 10_000

    let limit: Int
    private let used = Mutex<(byLayer: [LayerKey: Int], total: Int)>(([:], 0))

    init(limit: Int) {
        self.limit = limit
    }

    /// How many a layer may hold now.
    func allowance(of layer: LayerKey) -> Int {
        let others = used.withLock { $0.total - ($0.byLayer[layer] ?? 0) }
        return max(Self.alwaysAllowed, min(limit / 2, limit - others))
    }

    func set(_ count: Int, of layer: LayerKey) {
        used.withLock { used in
            used.total += count - (used.byLayer.updateValue(count, forKey: layer) ?? 0)
        }
    }

    var total: Int { used.withLock { $0.total } }

    func remove(_ layer: LayerKey) {
        used.withLock { used in
            used.total -= used.byLayer.removeValue(forKey: layer) ?? 0
        }
    }
}
