public import Accounting
import Kernel

/// Reads a directory of layer directories that no engine owns.
///
/// Every subdirectory is the one writable layer of a container that is named after it. Names that are not
/// printable UTF-8 are escaped.
public final class PlainReader: StoreReader {
    public let identity: StoreIdentity

    public init(root: String) {
        identity = StoreIdentity(
            engine: "plain", driver: "directory", root: AbsolutePath.resolve(root))
    }

    public func read() -> StoreReading {
        let root = identity.root
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: root)
        } catch {
            let reason =
                error.isMissing ? "no such directory: make it, or give --store plain=PATH" : error.reason
            return StoreReading(
                unreadable: root, reason, of: identity, watching: [AbsolutePath.nearestExisting(root)])
        }
        var facts = StoreFacts(store: identity)
        let (names, fault) = directory.names { directory.missingDirectory($0) == nil }
        if let fault { facts.problems.append(fault.problem(of: .store)) }
        var ids: Set<String> = []
        for name in names {
            let id = name.escaped
            guard let text = String(validating: name.bytes, as: UTF8.self) else {
                // A path is text here, and this one has none that leads back to the directory.
                let problem = StoreProblem(
                    severity: .damaged, object: .layer(id), path: "\(root)/\(id)",
                    reason: "its name is not UTF-8, so it cannot be followed: rename it")
                facts.problems.append(problem)
                continue
            }
            guard ids.insert(id).inserted else {
                // Equal as text, so each would have the other's figure.
                let problem = StoreProblem(
                    severity: .damaged, object: .layer(FileName.escapeAll(name.bytes)), path: "\(root)/\(id)",
                    reason: "another name is the same text in other bytes; it is not followed: rename it")
                facts.problems.append(problem)
                continue
            }
            facts.layers.append(LayerFact(id: id, kind: .container, directory: "\(root)/\(text)"))
            facts.containers.append(ContainerFact(id: id, name: id, layer: id, isRunning: true))
        }
        return StoreReading(facts: facts, directories: [root], filesRead: 0)
    }
}
