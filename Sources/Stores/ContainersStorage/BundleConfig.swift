import Accounting

/// What a container's `userdata/config.json` says: the bundle that it was started with last.
struct BundleConfig: Decodable, Sendable {
    struct Mount: Decodable, Sendable {
        var type: String
        var source: String
        var destination: String

        private enum CodingKeys: String, CodingKey {
            case type, source, destination
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            type = values.lossy(String.self, .type) ?? ""
            source = values.lossy(String.self, .source) ?? ""
            destination = values.lossy(String.self, .destination) ?? ""
        }
    }

    var mounts: [Mount]
    /// The labels, which CRI-O keeps in an annotation; Podman keeps them in its database alone.
    var labels: [String: String]
    /// Where CRI-O has the container's log written.
    var logPath: String?

    private enum CodingKeys: String, CodingKey {
        case mounts, annotations
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        mounts = (values.lossy([Lossy<Mount>].self, .mounts) ?? []).compactMap(\.value)
        let annotations = (values.lossy([String: Lossy<String>].self, .annotations) ?? [:])
            .compactMapValues(\.value)
        let labels: [String: Lossy<String>]? = annotations["io.kubernetes.cri-o.Labels"].flatMap(
            MetadataJSON.parse)
        self.labels = (labels ?? [:]).compactMapValues(\.value)
        logPath = annotations["io.kubernetes.cri-o.LogPath"]
    }

    /// The user's mounts: not those that every container has, and not what the engine keeps of each container.
    ///
    /// `volumes` are the names by which the engine may know the directory of its volumes.
    func facts(volumes: [String]) -> [MountFact] {
        mounts.compactMap { mount in
            switch mount.type {
            case "bind":
                if mount.source.contains("-containers/"), mount.source.contains("/userdata/") { return nil }
                let name = volumes.lazy.compactMap { mount.volume(below: $0) }.first
                return MountFact(
                    kind: name == nil ? .bind : .volume, name: name, source: mount.source,
                    destination: mount.destination)
            case "tmpfs" where !["/dev", "/run", "/dev/shm"].contains(mount.destination):
                return MountFact(kind: .tmpfs, source: mount.source, destination: mount.destination)
            default: return nil
            }
        }.sorted { $0.destination < $1.destination }
    }
}

extension BundleConfig.Mount {
    /// The name of the volume that is mounted, or that holds what is.
    fileprivate func volume(below volumes: String) -> String? {
        guard source.hasPrefix(volumes + "/") else { return nil }
        let parts = source.dropFirst(volumes.count + 1).split(
            separator: "/", omittingEmptySubsequences: false)
        return parts.count >= 2 && parts[1] == VolumeDirectories.data ? String(parts[0]) : nil
    }
}
