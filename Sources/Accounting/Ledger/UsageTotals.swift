/// Sums over the host; every layer is in one of them, once.
public struct UsageTotals: Hashable, Sendable {
    public struct Sum: Hashable, Sendable {
        public fileprivate(set) var count = 0
        private var total = WideMeasure()

        public var measure: Measure { total.measure }

        mutating func add(_ measure: Measure) {
            count += 1
            total += measure
        }

        mutating func replace(_ old: Measure, with new: Measure) {
            total -= old
            total += new
        }

        fileprivate static func += (left: inout Sum, right: Sum) {
            left.count += right.count
            left.total += right.total
        }
    }

    public var imageLayers = Sum()
    public var containers = Sum()
    /// Layers that engines put between an image and a container.
    public var initLayers = Sum()
    public var buildCache = Sum()
    public var content = Sum()
    public var inFlight = Sum()
    public var logs = Sum()
    public var volumes = Sum()
    public var overhead = Sum()
    public var orphans = Sum()

    public init() {}

    static func += (left: inout UsageTotals, right: UsageTotals) {
        left.imageLayers += right.imageLayers
        left.containers += right.containers
        left.initLayers += right.initLayers
        left.buildCache += right.buildCache
        left.content += right.content
        left.inFlight += right.inFlight
        left.logs += right.logs
        left.volumes += right.volumes
        left.overhead += right.overhead
        left.orphans += right.orphans
    }

    /// Changes the sum that layers of a kind are in.
    mutating func change(_ kind: LayerFact.Kind, _ body: (inout Sum) -> Void) {
        switch kind {
        case .image: body(&imageLayers)
        case .container: body(&containers)
        case .initial: body(&initLayers)
        case .buildCache: body(&buildCache)
        case .content: body(&content)
        case .inFlight: body(&inFlight)
        case .orphan: body(&orphans)
        }
    }

    mutating func change(_ kind: TreeFact.Kind, _ body: (inout Sum) -> Void) {
        switch kind {
        case .log: body(&logs)
        case .volume: body(&volumes)
        case .inFlight: body(&inFlight)
        }
    }
}
