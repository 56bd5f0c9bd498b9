/// A container's figures over time, in the form in which they survive a restart.
public struct SavedGrowth: Hashable, Sendable, Codable {
    public struct Sample: Hashable, Sendable, Codable {
        /// Nanoseconds since the epoch.
        public var wall: Int64
        /// Allocated bytes from then on.
        public var bytes: Int64

        public init(wall: Int64, bytes: Int64) {
            self.wall = wall
            self.bytes = bytes
        }
    }

    public var store: StoreIdentity
    public var containerID: String
    /// In the order of time.
    public var samples: [Sample]

    public init(store: StoreIdentity, containerID: String, samples: [Sample]) {
        self.store = store
        self.containerID = containerID
        self.samples = samples
    }
}

extension GrowthBook {
    /// Every container's samples, thinned, in the order of the containers' keys.
    public func saved(at moment: Moment) -> [SavedGrowth] {
        entries.sorted { $0.key < $1.key }.map { key, entry in
            var series = entry.series
            series.thin(now: moment.uptime, bands)
            let samples = series.points.map { point in
                let age = moment.uptime.subtractingClamped(point.time)
                return SavedGrowth.Sample(wall: moment.wall.subtractingClamped(age), bytes: point.bytes)
            }
            return SavedGrowth(store: key.store, containerID: key.id, samples: samples)
        }
    }

    /// Takes up samples of an earlier run; what is known already wins.
    ///
    /// What the container grew by while nothing ran counts at the moment of its first figure afterwards.
    /// Samples that the wall clock puts into the future count as now.
    public mutating func restore(_ saved: [SavedGrowth], at moment: Moment) {
        observed = nil
        for container in saved {
            let key = ContainerKey(store: container.store, id: container.containerID)
            guard entries[key] == nil else { continue }
            let points = container.samples.map { sample in
                let age = moment.wall.subtractingClamped(sample.wall)
                return FigureSeries.Point(time: moment.uptime.subtractingClamped(age), bytes: sample.bytes)
            }
            guard let series = FigureSeries(points, now: moment.uptime, bands) else { continue }
            entries[key] = Entry(series: series, isRestored: true)
        }
    }
}
