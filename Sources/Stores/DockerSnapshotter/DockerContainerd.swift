import Accounting
import Kernel

/// The containerd that a Docker engine has its images and layers in.
struct DockerContainerd: Sendable {
    /// The engine's data root.
    let docker: String
    let detection: ContainerdDetection

    /// Where the engine keeps the one that it starts itself (`daemon/command/daemon.go` of moby/moby).
    static let managed = "containerd/daemon"
    /// Where an engine's own containerd has its state, unless the engine is told otherwise.
    private static let managedState = "/run/docker/containerd/daemon"

    /// The namespace of the engine: one that maps user ids has its own, as it has its own root.
    var namespace: String {
        let name = docker.split(separator: "/").last.map { String($0) } ?? ""
        return DockerPaths.isMappedRoot(name) ? "moby-\(name)" : "moby"
    }

    /// Finds it: the one that the engine starts itself, or the host's.
    ///
    /// The engine takes the host's wherever that runs, and leaves behind what it had in its own. Where both are there,
    /// it is the one that has the engine's images, and of two the one that changed last.
    func place() -> ContainerdDetection.Place {
        let own = ContainerdDetection.Place(root: "\(docker)/\(Self.managed)", state: Self.managedState)
        let host = detection.hostPlace()
        switch (lastChange(own), lastChange(host)) {
        case (_, nil): return own
        case (nil, _): return host
        case (let ownChange?, let hostChange?):
            let isOwnUsed = hasImages(own)
            guard isOwnUsed == hasImages(host) else { return isOwnUsed ? own : host }
            return ownChange >= hostChange ? own : host
        }
    }

    private func lastChange(_ place: ContainerdDetection.Place) -> Int64? {
        directory(place)?.status(of: ContainerdDatabases.metadataFile)?.changed
    }

    /// Whether something of the engine's namespace has a layer there; even with a graph driver it has content.
    private func hasImages(_ place: ContainerdDetection.Place) -> Bool {
        var notes = ReadingNotes()
        guard let directory = directory(place),
            case .changed(_, let database)? = try? BoltFile.read(
                ContainerdDatabases.metadataFile, in: directory, known: nil, &notes),
            let own = database.root.bucket("v1")?.bucket(namespace)
        else { return false }
        return ["images", "snapshots"].contains { own.bucket($0)?.isEmpty == false }
    }

    private func directory(_ place: ContainerdDetection.Place) -> MetadataDirectory? {
        try? MetadataDirectory(path: ContainerdPaths(root: place.root, state: place.state).metadata)
    }
}
