public import Accounting
import Kernel
import Synchronization

/// Reads the store of a Docker engine before 1.10 with the driver `aufs`, in which an image is one layer and has the
/// layer's id.
///
/// What an object's files said is kept until they change, as ``DockerReader`` does.
public final class DockerClassicReader: StoreReader {
    public let identity: StoreIdentity

    private struct Caches {
        var images = ClassicDatabase<ClassicImage>()
        var containers = ClassicDatabase<ClassicContainer>()
        var volumes = ClassicDatabase<ClassicVolume>()
        var names = ClassicNames()
        var unnamed = UnnamedDirectories()
    }

    private let options: StoreOptions
    private let caches = Mutex(Caches())

    public init(root: String, options: StoreOptions = StoreOptions()) {
        identity = StoreIdentity(engine: "docker", driver: "aufs", root: AbsolutePath.resolve(root))
        self.options = options
    }

    public func read() -> StoreReading {
        let root = identity.root
        do throws(MetadataFault) {
            let directory = try MetadataDirectory(path: root)
            return try read(directory)
        } catch {
            let reason =
                error.isMissing && error.path == root
                ? "no such directory: give --store docker-classic=PATH" : error.reason
            return StoreReading(
                unreadable: error.path, reason, of: identity, watching: [AbsolutePath.nearestExisting(root)])
        }
    }

    private func read(_ directory: MetadataDirectory) throws(MetadataFault) -> StoreReading {
        let root = identity.root
        let now = realtimeNanoseconds()
        let orphanSeconds = options.orphanSeconds
        let identity = identity
        return try caches.withLock { caches throws(MetadataFault) in
            var notes = ReadingNotes()
            notes.directories = [root, "graph", "containers", "volumes", "aufs/diff"].map {
                AbsolutePath.nearestExisting($0 == root ? root : "\(root)/\($0)")
            }
            // Before what names it: what is unnamed then was made or removed meanwhile, and is young.
            let data = try? MetadataDirectory(path: root + "/aufs/diff")
            let listed = data?.names { !$0.isDot }.names ?? []
            let names = caches.names.read(directory, &notes)
            let containers = caches.containers.read(
                root + "/containers", files: [ClassicContainer.file], where: ObjectID.isHex64, &notes
            ) { directory, id, notes throws(MetadataFault) in try ClassicContainer(directory, id, &notes) }
            let volumes = caches.volumes.read(
                root + "/volumes", files: ClassicVolume.files, where: ObjectID.isHex64, &notes
            ) { directory, _, notes throws(MetadataFault) in try ClassicVolume(directory, &notes) }
            let images = caches.images.read(
                root + "/graph", files: ClassicImage.files, where: ObjectID.isHex64, &notes
            ) { directory, id, notes throws(MetadataFault) in try ClassicImage(directory, id, &notes) }
            if data == nil, !images.isEmpty {
                throw MetadataFault(
                    severity: .unreadable, path: root + "/aufs/diff",
                    reason: "it does not exist, but graph names layers in it; is it mounted?")
            }
            var assembly = ClassicAssembly(root: root, data: data, notes: notes)
            assembly.add(images, names: names)
            assembly.add(volumes)
            assembly.add(containers)
            assembly.add(
                caches.unnamed.judge(
                    listed, but: assembly.named, below: data, now: now, orphanSeconds: orphanSeconds))
            return assembly.reading(identity)
        }
    }
}

/// The names of images: `repositories-aufs`.
struct ClassicNames: Sendable {
    private static let file = "repositories-aufs"
    private var stamp: FileStamp?
    private var names: [String: [String]] = [:]
    private var fault: MetadataFault?

    private struct Repositories: Decodable {
        var byName: [String: Lossy<[String: Lossy<String>]>]

        private enum CodingKeys: String, CodingKey {
            case byName = "Repositories"
        }
    }

    /// `repository:tag` of each image, sorted, by the image's id.
    mutating func read(_ root: MetadataDirectory, _ notes: inout ReadingNotes) -> [String: [String]] {
        guard let now = root.stamp(of: Self.file) else {
            self = ClassicNames()
            return [:]
        }
        if now != stamp {
            fault = nil
            do throws(MetadataFault) {
                let bytes = try root.bytes(of: Self.file, limit: RepositoryNames.limit, &notes)
                let content = try MetadataJSON.decode(
                    Repositories.self, bytes, path: root.path + "/" + Self.file)
                var names: [String: [String]] = [:]
                for (repository, tags) in content.byName {
                    for (tag, id) in tags.value ?? [:] {
                        if let id = id.value, ObjectID.isHex64(id) {
                            names[id, default: []].append("\(repository):\(tag)")
                        }
                    }
                }
                self.names = names.mapValues { $0.sorted() }
                stamp = now
            } catch {
                fault = error
                stamp = error.isOfContent ? now : nil
            }
        }
        if let fault { notes.add(fault, of: .store) }
        return names
    }
}
