/// What a ``Soak`` runs on, and for how long.
package struct SoakOptions: Hashable, Sendable {
    /// Decides what is done; how the writers and the daemon interleave, no number decides.
    package var seed: UInt64
    package var duration: Duration
    /// Around which number the containers stay; layers of images likewise.
    package var containers: Int
    package var imageLayers: Int
    /// Containers and volumes that are written to in a round.
    package var writers: ClosedRange<Int>
    /// Operations of each of them.
    package var steps: ClosedRange<Int>
    /// Files of a flood; the kernel's queue holds 16,384 events by default, and each file has four.
    package var floodFiles: ClosedRange<Int>

    package init(
        seed: UInt64, duration: Duration, containers: Int = 200, imageLayers: Int = 1_000,
        writers: ClosedRange<Int> = 2...12, steps: ClosedRange<Int> = 20...1_500,
        floodFiles: ClosedRange<Int> = 2_000...20_000
    ) {
        self.seed = seed
        self.duration = duration
        self.containers = containers
        self.imageLayers = imageLayers
        self.writers = writers
        self.steps = steps
        self.floodFiles = floodFiles
    }
}
