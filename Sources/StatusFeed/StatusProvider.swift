public import Wire

/// What the socket asks of the daemon: one question for each path of the contract.
///
/// Every answer but ``health()`` is behind the barrier: changes whose system call returned before the call are
/// in it, or it says `exact: false`. None waits longer than the daemon's deadline, and none reads a disk.
public protocol StatusProvider: Sendable {
    /// `top` is how many images, containers, volumes and orphans are wanted, those that take most; `nil` for all.
    func status(top: Int?) async -> Status
    func images() async -> ImageList
    /// The image with this name, id, or unambiguous prefix of either.
    func image(_ reference: String) async throws(Problem) -> ImageDetail
    func tree() async -> Tree
    func layers() async -> LayerList
    func containers() async -> ContainerList
    /// The container with this name, id, or unambiguous prefix of either.
    func container(_ reference: String) async throws(Problem) -> ContainerDetail
    func volumes() async -> VolumeList
    func orphans() async -> OrphanList
    /// How the figures of an image, container, volume, layer or orphan come about.
    func explain(_ reference: String) async throws(Problem) -> Explanation
    /// What the file systems would gain if exactly some objects went; nothing is deleted.
    func reclaim(_ request: ReclaimRequest) async throws(Problem) -> Reclaim
    func alerts() async -> AlertList
    /// What the daemon may have, has and needs.
    func doctor() async -> DoctorFacts
    /// What changed since a mark, or within a duration such as `10m`.
    func since(_ mark: String) async throws(Problem) -> Since
    /// Remembers every figure of this moment under a name; an older mark of that name is replaced.
    func setMark(_ name: String) async throws(Problem) -> MarkSet
    /// Answers at once, without the barrier.
    func health() -> Health
}
