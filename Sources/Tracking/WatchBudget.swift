internal import Kernel
internal import Synchronization

/// How many watches all layers together may hold, and each of them.
///
/// Containers decide how many directories there are. A layer may have three quarters of what the others leave, so
/// that however many one makes, the rest can be watched. Where a layer lacks some all the same, because many are large or others on
/// the host hold watches, the layer with the most gives its back if it has far more than that one.
final class WatchBudget: Sendable {
    enum Answer: Hashable, Sendable {
        case granted
        /// The layer has its share.
        case overShare
        /// There is none left.
        case exhausted
    }

    fileprivate struct State {
        var byLayer: [Int: Int] = [:]
        var total = 0
        var lastLayer = 0
        var kernelLimit: (watches: Int, until: Int64)?
        /// What there was when the kernel refused one is taken to be all; from then on, monotonic, for a few more.
        var ceiling: (watches: Int, rises: Int64, kernelLimit: Int)?
        /// A layer was refused that has far less: one that has so many is to give its back, until then.
        var claim: (watches: Int, until: Int64)?
    }

    /// What a layer may have whatever the others have, as long as there are any.
    fileprivate static let alwaysAllowed = 64
    /// A layer yields to one that has so many times less; a smaller number would have two take turns.
    fileprivate static let claimFactor = 4
    private static let kernelLimitLasts: Int64 = 5_000_000_000
    fileprivate static let claimLasts: Int64 = 15_000_000_000

    private let limit: Int
    /// Others on the host give watches back: so often more are tried than there were, nanoseconds.
    private let riseInterval: Int64
    private let readKernelLimit: @Sendable () -> Int?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: What the operator allows.
    ///   - riseSeconds: How long after the kernel refused a watch more are tried.
    ///   - kernelLimit: Gives the kernel's limit as it is now, `nil` where it is not known.
    init(
        limit: Int, riseSeconds: Int = 30, kernelLimit: @escaping @Sendable () -> Int? = { nil }
    ) {
        self.limit = limit
        riseInterval = Int64(riseSeconds) * 1_000_000_000
        readKernelLimit = kernelLimit
    }

    /// A number for a layer, which no other has.
    func register() -> Int {
        state.withLock {
            $0.lastLayer += 1
            return $0.lastLayer
        }
    }

    func take(for layer: Int) -> Answer {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            let all = available(&state, at: now)
            let held = state.byLayer[layer] ?? 0
            let left = all - (state.total - held)
            let share = max(Self.alwaysAllowed, left - left / 4)
            guard held < share, state.total < all else {
                state.claim(for: held, at: now)
                return held < share ? .exhausted : .overShare
            }
            state.byLayer[layer, default: 0] += 1
            state.total += 1
            return .granted
        }
    }

    func give(for layer: Int) {
        state.withLock { $0.give(for: layer) }
    }

    /// The watched directory belongs to another layer now.
    func move(from layer: Int, to other: Int) {
        state.withLock { state in
            state.give(for: layer)
            state.byLayer[other, default: 0] += 1
            state.total += 1
        }
    }

    /// The kernel refused a layer a watch: there are fewer than its limit says.
    func noteRefusal(of layer: Int) {
        let now = monotonicNanoseconds()
        state.withLock { state in
            _ = available(&state, at: now)
            state.ceiling = (state.total, now + riseInterval, state.kernelLimit?.watches ?? .max)
            state.claim(for: state.byLayer[layer] ?? 0, at: now)
        }
    }

    /// Whether a layer is the one to give its watches back, because a smaller one lacks some; each is asked now and
    /// then.
    func mustYield(_ layer: Int) -> Bool {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            guard let claim = state.claim, now < claim.until, let held = state.byLayer[layer],
                held >= claim.watches, held == state.byLayer.values.max()
            else { return false }
            state.claim = nil
            return true
        }
    }

    /// Whether it is the operator's limit that holds, and not the kernel's.
    var isBoundByConfiguration: Bool {
        state.withLock { limit <= min($0.kernelLimit?.watches ?? .max, $0.ceiling?.watches ?? .max) }
    }

    private func available(_ state: inout State, at now: Int64) -> Int {
        if state.kernelLimit.map({ now >= $0.until }) ?? true {
            state.kernelLimit = (readKernelLimit() ?? .max, now + Self.kernelLimitLasts)
        }
        let kernelLimit = state.kernelLimit?.watches ?? .max
        if let ceiling = state.ceiling {
            if kernelLimit > ceiling.kernelLimit || ceiling.watches >= kernelLimit {
                state.ceiling = nil
            } else if now >= ceiling.rises {
                let more = max(Self.alwaysAllowed, ceiling.watches / 4)
                state.ceiling = (ceiling.watches + more, now + riseInterval, ceiling.kernelLimit)
            }
        }
        return min(limit, kernelLimit, state.ceiling?.watches ?? .max)
    }
}

extension WatchBudget.State {
    fileprivate mutating func give(for layer: Int) {
        guard let held = byLayer[layer] else { return }
        byLayer[layer] = held > 1 ? held - 1 : nil
        total -= 1
    }

    fileprivate mutating func claim(for held: Int, at now: Int64) {
        let least = max(held * WatchBudget.claimFactor, WatchBudget.alwaysAllowed + 1)
        if let claim, now < claim.until, claim.watches <= least { return }
        claim = (least, now + WatchBudget.claimLasts)
    }
}
