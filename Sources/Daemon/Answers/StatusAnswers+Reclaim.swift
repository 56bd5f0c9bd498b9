internal import Accounting
internal import StatusFeed
internal import Wire

extension StatusAnswers {
    func reclaim(_ request: ReclaimRequest) async throws(Problem) -> Reclaim {
        // What engines keep of an object goes with it, so it has to be known as it is now.
        let isOverheadKnown = await surveys.refresh(milliseconds: Self.overheadMilliseconds)
        let looked = await look()
        let snapshot = looked.snapshot
        var targets =
            request.allUnused ? ReclaimTarget.unused(snapshot, withStopped: request.withStopped) : []
        let index = ObjectIndex(snapshot, withLayers: false)
        for reference in request.references {
            let found = try find(
                reference, "image, container, volume or orphan", index.candidates, hint: "usage-client status"
            )
            targets.append(index.entries[found].object.target)
        }
        let plan = ReclaimPlan(targets, of: snapshot)
        let samples = await fileSystems.samples(of: snapshot.places)
        var reasons = looked.reasons + plan.doubts
        if !isOverheadKnown {
            reasons.append("what engines keep beside their layers could not be measured in time")
        }
        return Reclaim(
            time: looked.time, exact: reasons.isEmpty, reasons: reasons, diskBytes: plan.total.diskBytes,
            sizeBytes: plan.total.sizeBytes, filesystems: Reclaim.Gain.list(plan.pieces, snapshot, samples),
            items: plan.items.map(Reclaim.Item.init), stays: plan.stays.map(Reclaim.Stay.init))
    }

    private static var overheadMilliseconds: Int { 5_000 }
}

extension Reclaim.Gain {
    fileprivate static func list(
        _ pieces: [ReclaimPlan.Piece], _ snapshot: UsageSnapshot, _ samples: [String: FileSystems.Sample]
    ) -> [Reclaim.Gain] {
        var byMount: [String: Int64] = [:]
        for piece in pieces {
            let place = piece.store.place(of: piece.directory)
            let mount = samples[place]?.mount ?? place
            byMount[mount] = (byMount[mount] ?? 0).addingClamped(piece.diskBytes)
        }
        return byMount.sorted { $0.key < $1.key }.map { Reclaim.Gain(mount: $0.key, diskBytes: $0.value) }
    }
}

extension Reclaim.Item {
    fileprivate init(_ item: ReclaimPlan.Item) {
        let (kind, id) =
            switch item.target.object {
            case .image(let id): ("image", id)
            case .container(let id): ("container", id)
            case .volume(let name): ("volume", name)
            case .layer(let id): ("layer", id)
            }
        self.init(
            kind: kind, engine: item.target.store.engine, root: item.target.store.root, id: id,
            name: item.name, diskBytes: item.measure.diskBytes, sizeBytes: item.measure.sizeBytes,
            implied: item.isImplied)
    }
}

extension Reclaim.Stay {
    fileprivate init(_ stay: ReclaimPlan.Stay) {
        self.init(
            kind: stay.kind.rawValue, engine: stay.store.engine, root: stay.store.root, id: stay.id,
            diskBytes: stay.measure.diskBytes, reason: stay.reason)
    }
}
