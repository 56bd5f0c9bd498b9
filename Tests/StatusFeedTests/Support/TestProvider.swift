import Synchronization
import Wire

@testable import StatusFeed

/// Answers with fixed values, and lets a test hold an answer back.
final class TestProvider: StatusProvider {
    static let time = "2026-01-02T03:04:05.678Z"

    let statusValue: Mutex<Status>
    let marks = Mutex<[String]>([])
    /// Runs inside each question for the status.
    let whileAsked: @Sendable () async -> Void

    init(containers: Int = 1, whileAsked: @escaping @Sendable () async -> Void = {}) {
        statusValue = Mutex(
            Status(
                time: Self.time, version: "1", exact: true,
                containers: (0..<containers).map { Self.container("c\($0)") }))
        self.whileAsked = whileAsked
    }

    static func container(_ name: String) -> Container {
        Container(
            engine: "docker", root: "/var/lib/docker", id: name + "-id", name: name,
            image: "library/nginx:1", state: .exact,
            diskBytes: 4096, sizeBytes: 11, virtualSizeBytes: 100, logBytes: 0, volumes: [], growth: Growth(),
            running: true)
    }

    static let image = Image(
        engine: "docker", root: "/var/lib/docker", id: "abc", names: ["library/nginx:1"], parent: nil,
        sizeBytes: 1,
        virtualSizeBytes: 2,
        diskBytes: 3, sharedBytes: 4, uniqueBytes: 5, layers: ["l1"], containers: 1)

    func status(top: Int?) async -> Status {
        await whileAsked()
        return statusValue.withLock { $0 }
    }

    func images() async -> ImageList { ImageList(time: Self.time, exact: true, images: [Self.image]) }

    func image(_ reference: String) async throws(Problem) -> ImageDetail {
        guard reference.hasPrefix("library/") else {
            if reference == "amb" {
                throw Problem(.ambiguous, detail: "amb means several", candidates: ["ambrosia", "amber"])
            }
            throw Problem(.notFound, detail: "no image \(reference)")
        }
        return ImageDetail(
            time: Self.time, exact: true, image: Self.image, history: [], parents: [reference])
    }

    func tree() async -> Tree { Tree(time: Self.time, exact: true, roots: []) }
    func layers() async -> LayerList { LayerList(time: Self.time, exact: true, layers: []) }

    func containers() async -> ContainerList {
        ContainerList(time: Self.time, exact: true, containers: [Self.container("web")])
    }

    func container(_ reference: String) async throws(Problem) -> ContainerDetail {
        ContainerDetail(
            time: Self.time, exact: true, container: Self.container(reference), imageID: "abc", labels: [:],
            logPath: nil, mounts: [], layer: nil, initLayer: nil, chain: [], top: [])
    }

    func alerts() async -> AlertList { AlertList(time: Self.time, exact: true, alerts: [], rules: ["r"]) }

    func volumes() async -> VolumeList { VolumeList(time: Self.time, exact: true, volumes: []) }
    func orphans() async -> OrphanList { OrphanList(time: Self.time, exact: true, orphans: []) }

    func explain(_ reference: String) async throws(Problem) -> Explanation {
        Explanation(
            time: Self.time, exact: true, kind: "image", engine: "docker", driver: "overlay2",
            root: "/var/lib/docker", id: reference, name: reference, state: .exact, terms: [], diskBytes: 0,
            sizeBytes: 0, notes: [])
    }

    func reclaim(_ request: ReclaimRequest) async throws(Problem) -> Reclaim {
        Reclaim(
            time: Self.time, exact: true,
            reasons: request.references + (request.allUnused ? ["all"] : [])
                + (request.withStopped ? ["stopped"] : []),
            diskBytes: 0, sizeBytes: 0, filesystems: [], items: [], stays: [])
    }

    func doctor() async -> DoctorFacts {
        DoctorFacts(
            time: Self.time, version: "1", kernel: "6.12", uid: 998, exact: true,
            watches: .init(used: 1, needed: 2, limit: .init(value: 3, setting: "s")),
            instances: .init(used: 1, needed: 3), queue: .init(overflows: 0),
            openFiles: .init(used: 30, needed: 100), inodes: .init(used: 5, needed: 5))
    }

    func since(_ mark: String) async throws(Problem) -> Since {
        Since(
            time: Self.time, exact: true, mark: mark, since: Self.time, layersAdded: [], layersRemoved: [],
            containers: [], totals: .init(diskBytes: 0, sizeBytes: 0), filesystems: [])
    }

    func setMark(_ name: String) async throws(Problem) -> MarkSet {
        marks.withLock { $0.append(name) }
        return MarkSet(mark: name, time: Self.time, exact: true)
    }

    func health() -> Health { Health(status: "ok", version: "1", exact: true) }
}

extension FeedEvent {
    /// An event that tells by its time which it is, padded to a length.
    static func numbered(_ number: Int, padding: Int = 0) -> FeedEvent {
        FeedEvent(
            type: .usage, id: 0, time: "\(number)", container: TestProvider.container("web"),
            paths: padding > 0
                ? [PathGrowth(path: String(repeating: "x", count: padding), growthBytes: 1)] : nil)
    }
}
