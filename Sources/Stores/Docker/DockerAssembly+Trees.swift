import Accounting
import Kernel

extension DockerAssembly {
    /// The files of a container's logs: of the drivers `json-file` and `local`, with those that were rotated, and the
    /// copy that the engine keeps where the driver sends the log elsewhere.
    static let logNames: [NamePattern] = ["*-json.log*", "local-logs", "container-cached.log*"]

    static func logID(_ container: String) -> String { "log:\(container)" }

    /// Logs, volumes and downloads.
    mutating func addTrees(
        containers: [String: ContainerDirectory.Entry], volumes: [String: VolumeDirectory.Entry]
    ) {
        // A log may appear later, and one that its removed container leaves behind is a log still.
        for id in containers.keys.sorted() {
            add(
                TreeFact(
                    id: Self.logID(id), kind: .log, directory: "\(paths.containers)/\(id)",
                    entries: Self.logNames))
        }
        excluded += Self.logNames.map { PathPattern(["containers", "*", $0]) }
        addDownloads("tmp")
        addDownloads("buildkit/content/ingest")
        add(volumes)
    }

    private mutating func addDownloads(_ path: String) {
        guard AbsolutePath.isOwnDirectory("\(paths.root)/\(path)") else { return }
        add(TreeFact(id: "in-flight:\(path)", kind: .inFlight, directory: "\(paths.root)/\(path)"))
        excluded.append(PathPattern(exactly: path))
    }

    private mutating func add(_ tree: TreeFact) {
        ids.insert(tree.id)
        treeFacts.append(tree)
    }

    private mutating func add(_ volumes: [String: VolumeDirectory.Entry]) {
        var charged: [String] = []
        var isAnyForeign = false
        for (name, volume) in volumes.sorted(by: { $0.key < $1.key }) {
            notes.add(volume.faults, of: .volume(name))
            let data = "\(paths.volumes)/\(name)/_data"
            let isCharged = volume.isLocal && volume.hasData && volume.mounted == nil
            let tree = isCharged ? "volume:\(name)" : nil
            if let tree {
                add(TreeFact(id: tree, kind: .volume, directory: data))
                charged.append(name)
            } else if volume.isLocal {
                isAnyForeign = true
            }
            volumeFacts.append(
                VolumeFact(
                    name: name, tree: tree, source: volume.mounted ?? (volume.isLocal ? data : ""),
                    driver: volume.driver,
                    isAnonymous: ObjectID.isHex64(name)
                        || volume.labels["com.docker.volume.anonymous"] != nil,
                    labels: volume.labels, metadata: volume.isLocal ? ["volumes/\(name)"] : []))
        }
        // What is mounted on the directory of a volume with options is another's; the directory itself is here.
        excluded +=
            isAnyForeign
            ? charged.map { PathPattern(exactly: "volumes/\($0)/_data") } : ["volumes/*/_data"]
    }
}
