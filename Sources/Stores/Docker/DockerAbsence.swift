import Accounting
import Kernel

/// What a data root is that has no `image/overlay2`.
struct DockerAbsence {
    let paths: DockerPaths
    let root: MetadataDirectory

    func reading(_ identity: StoreIdentity, watching: [String]) -> StoreReading {
        let problems = problem.map { [$0] } ?? []
        return StoreReading(
            facts: StoreFacts(store: identity, problems: problems), directories: watching.uniqued())
    }

    /// Nothing is wrong with a root in which the engine has not started yet.
    private var problem: StoreProblem? {
        let drivers = entries(paths.drivers)
        if let driver = drivers.first {
            return unreadable(
                paths.drivers,
                "the engine uses the storage driver \(ObjectID.quoted(driver)); only overlay2 can be read")
        }
        let snapshotters = entries(paths.root + "/containerd/daemon").filter {
            $0.hasPrefix("io.containerd.")
        }
        if !snapshotters.isEmpty || !entries(paths.root + "/rootfs").isEmpty {
            return unreadable(
                paths.root,
                "the engine keeps its images in containerd (the default since Docker 29); only the overlay2 "
                    + "driver can be read")
        }
        let containers = entries(paths.containers).contains(where: ObjectID.isHex64)
        let layers = entries(paths.data).contains { $0 != "l" }
        if containers || layers {
            return unreadable(
                paths.metadata,
                "it does not exist, but there are \(containers ? "containers" : "layers"): the store's metadata "
                    + "is gone; restore it, or remove the data root's content")
        }
        return nil
    }

    private func entries(_ path: String) -> [String] {
        guard let directory = try? MetadataDirectory(path: path) else { return [] }
        return directory.names { !$0.bytes.starts(with: [0x2E]) }.names.map(\.escaped)
    }

    private func unreadable(_ path: String, _ reason: String) -> StoreProblem {
        StoreProblem(severity: .unreadable, object: .store, path: path, reason: reason)
    }
}
