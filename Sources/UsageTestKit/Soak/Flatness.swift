/// Whether a process that lives on and on holds no more as time passes.
///
/// Of all samples, in the order of time, the first quarter is the warm-up: what is bounded fills up, and the allocator
/// keeps what the first floods took. The second quarter is the early window, the last the late one.
package struct Flatness {
    /// Samples in a window below which nothing is said of memory: a peak would decide.
    package static let leastSamples = 8
    /// What the memory may grow by from window to window, beside a percentage.
    ///
    /// The daemon's feed keeps events of up to 16 MiB, and the past of figures grows for a day. The rest is for how many
    /// files there happen to be.
    package static let memorySlack: Int64 = 24 << 20
    package static let memoryPercent: Int64 = 10
    /// What may be open for a moment: a connection that is being closed, a look into `/proc`.
    package static let descriptorSlack = 4

    /// What the watches beside those of directories that are written to may grow by, beside a quarter: containers, and
    /// with them the directories of metadata, vary by a fifth.
    package static let watchSlack = 32

    package private(set) var samples: [ProcessLoad] = []
    /// Directories of writable layers and of volumes at each sample; each has a watch.
    package private(set) var directories: [Int] = []

    package init() {}

    package mutating func add(_ load: ProcessLoad, watching directories: Int64) {
        samples.append(load)
        self.directories.append(Int(directories))
    }

    private func windows<Value>(_ values: [Value]) -> (early: ArraySlice<Value>, late: ArraySlice<Value>) {
        let quarter = values.count / 4
        return (values[quarter..<(2 * quarter)], values[(values.count - quarter)...])
    }

    /// The middle one of each window; `nil` where there are too few samples.
    package var memory: (early: Int64, late: Int64)? {
        let windows = windows(samples)
        guard windows.late.count >= Self.leastSamples else { return nil }
        func middle(_ window: ArraySlice<ProcessLoad>) -> Int64 {
            window.map(\.anonymousBytes).sorted()[window.count / 2]
        }
        return (middle(windows.early), middle(windows.late))
    }

    /// What grew, one line each; empty where all is flat.
    package var complaints: [String] {
        var found: [String] = []
        if let (early, late) = memory {
            let bound = early + early * Self.memoryPercent / 100 + Self.memorySlack
            if late > bound {
                found.append("memory (RssAnon) grew from \(early) to \(late) bytes; the bound is \(bound)")
            }
        }
        let windows = windows(samples)
        // The least of a window: what is open for a moment only is not in it.
        if let early = windows.early.map(\.descriptors).min(),
            let late = windows.late.map(\.descriptors).min(),
            late > early + Self.descriptorSlack
        {
            found.append("open descriptors grew from \(early) to \(late)")
        }
        let excess = self.windows(zip(samples, directories).map { $0.watches - $1 })
        if let early = excess.early.min(), let late = excess.late.min(),
            late > early + early / 4 + Self.watchSlack
        {
            found.append(
                "inotify watches beside those of directories with work grew from \(early) to \(late)")
        }
        return found
    }
}
