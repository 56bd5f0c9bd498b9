import Accounting
import Kernel

/// What a data root is that has no `image/DRIVER`.
struct DockerAbsence {
    let paths: DockerPaths
    let root: MetadataDirectory

    func reading(_ identity: StoreIdentity, watching: [String]) -> StoreReading {
        let problem: StoreProblem?
        do throws(MetadataFault) {
            problem = try findProblem()
        } catch {
            problem = unreadable(error.path, error.reason)
        }
        let problems = problem.map { [$0] } ?? []
        return StoreReading(
            facts: StoreFacts(store: identity, problems: problems), directories: watching.uniqued())
    }

    /// Nothing is wrong with a root in which the engine has not started yet.
    private func findProblem() throws(MetadataFault) -> StoreProblem? {
        let containers = try entries(paths.containers).contains(where: ObjectID.isHex64)
        let layers = try entries(paths.data).contains { $0 != paths.driver.reservedName }
        if containers || layers {
            return unreadable(
                paths.metadata,
                "it does not exist, but there are \(containers ? "containers" : "layers"): the store's metadata "
                    + "is gone; restore it, or remove the data root's content")
        }
        return nil
    }

    private func entries(_ path: String) throws(MetadataFault) -> [String] {
        do throws(MetadataFault) {
            return try MetadataDirectory(path: path).names { !$0.bytes.starts(with: [0x2E]) }.names.map(
                \.escaped)
        } catch {
            // What is there cannot be told for want of a descriptor or memory: that is not nothing.
            guard error.severity != .unreadable else { throw error }
            return []
        }
    }

    private func unreadable(_ path: String, _ reason: String) -> StoreProblem {
        StoreProblem(severity: .unreadable, object: .store, path: path, reason: reason)
    }
}
