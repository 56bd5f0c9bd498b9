import Accounting
import Kernel

/// What the kubelet and containerd's CRI plugin keep of pods in directories: logs and volumes.
struct PodFiles {
    /// The directories of containers, by `NAMESPACE_POD_UID`.
    var logs: [String: Set<String>] = [:]
    /// Of each pod's uid, the paths of its volumes of kind `emptyDir` that are on the disk.
    var volumes: [String: [String: String]] = [:]
    /// Of each container, the volumes that its image asked for.
    var imageVolumes: [String: [String]] = [:]

    /// Looks for what belongs to the pods that `metadata` knows.
    init(
        _ metadata: ContainerdMetadata, _ paths: ContainerdPaths, _ options: StoreOptions,
        _ notes: inout ReadingNotes
    ) {
        var names: Set<String> = []
        var uids: Set<String> = []
        for content in metadata.namespaces.values {
            for container in content.containers.values {
                guard let uid = container.labels["io.kubernetes.pod.uid"],
                    let pod = container.labels["io.kubernetes.pod.name"],
                    let namespace = container.labels["io.kubernetes.pod.namespace"]
                else { continue }
                if ContainerdAssembly.isFileName(uid) { uids.insert(uid) }
                let name = "\(namespace)_\(pod)_\(uid)"
                if ContainerdAssembly.isFileName(name) { names.insert(name) }
            }
        }
        if !names.isEmpty { readLogs(names, options.podLogs, &notes) }
        if !uids.isEmpty { readVolumes(uids, options.podVolumes, &notes) }
        readImageVolumes(paths.podContainers, &notes)
    }

    private mutating func readLogs(_ names: Set<String>, _ path: String, _ notes: inout ReadingNotes) {
        guard let directory = ContainerdListing.open(path, &notes) else { return }
        for name in names {
            guard let pod = Self.child(name, of: directory, &notes) else { continue }
            // Links lead to logs that another store has.
            logs[name] = Set(
                pod.names(where: { _ in true }, &notes).filter { pod.missingDirectory($0) == nil })
        }
    }

    private mutating func readVolumes(_ uids: Set<String>, _ path: String, _ notes: inout ReadingNotes) {
        guard let directory = ContainerdListing.open(path, &notes) else { return }
        for uid in uids {
            guard let pod = Self.child(uid, of: directory, &notes),
                let all = Self.child("volumes", of: pod, &notes),
                let found = Self.child("kubernetes.io~empty-dir", of: all, &notes),
                let device = found.status(of: ".")?.identity.device
            else { continue }
            for name in ContainerdListing.names(found, &notes) {
                // One in memory is a file system of its own.
                guard let status = found.status(of: name), status.kind == .directory,
                    status.identity.device == device
                else { continue }
                volumes[uid, default: [:]][name] = "\(found.path)/\(name)"
            }
        }
    }

    private mutating func readImageVolumes(_ path: String, _ notes: inout ReadingNotes) {
        guard AbsolutePath.isDirectory(path), let directory = ContainerdListing.open(path, &notes) else {
            return
        }
        for container in ContainerdListing.names(directory, &notes) {
            guard let child = Self.child(container, of: directory, &notes),
                let found = Self.child("volumes", of: child, &notes)
            else { continue }
            imageVolumes[container] = ContainerdListing.names(found, &notes)
        }
    }

    /// A directory that is to be watched, where it is there.
    private static func child(
        _ name: String, of directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> MetadataDirectory? {
        guard let child = try? directory.child(name) else { return nil }
        notes.directories.append(child.path)
        return child
    }
}
