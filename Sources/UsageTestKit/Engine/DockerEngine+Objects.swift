internal import Foundation

/// What an engine says of itself, as far as tests compare it; ids without their algorithm.
public enum DockerObject {
    public struct Image: Sendable {
        public let id: String
        public let names: [String]
        public let parent: String?
        public let size: Int64
        public let sharedSize: Int64
        public let containers: Int
    }

    public struct Step: Sendable {
        /// Absent where the engine says `<missing>`.
        public let image: String?
        public let instruction: String
        public let size: Int64
    }

    public struct Volume: Sendable {
        public let name: String
        public let mountpoint: String
        public let labels: [String: String]
        /// -1 where the engine does not tell.
        public let size: Int64
    }

    /// A record of the build cache.
    public struct CacheRecord: Sendable {
        public let id: String
        public let isShared: Bool
        public let isInUse: Bool
        public let size: Int64
    }

    public struct Container: Sendable {
        public let id: String
        public let name: String
        public let image: String
        public let sizeRw: Int64
    }
}

extension DockerEngine {
    /// Every image, those between the steps of a build too.
    public func images() async throws -> [DockerObject.Image] {
        struct Entry: Decodable {
            let Id: String
            let RepoTags: [String]?
            let ParentId: String?
            let Size: Int64
        }
        return try JSONDecoder().decode([Entry].self, from: await api("images/json?all=1")).map { entry in
            DockerObject.Image(
                id: entry.Id.droppingAlgorithm,
                names: (entry.RepoTags ?? []).filter { $0 != "<none>:<none>" }.sorted(),
                parent: entry.ParentId.flatMap { $0.isEmpty ? nil : $0.droppingAlgorithm }, size: entry.Size,
                sharedSize: -1, containers: -1)
        }
    }

    /// What `docker system df` is made from: the images that it lists, and the bytes of all layers they use.
    public func systemDiskUsage() async throws -> (images: [DockerObject.Image], layersSize: Int64) {
        struct Entry: Decodable {
            let Id: String
            let RepoTags: [String]?
            let Size: Int64
            let SharedSize: Int64
            let Containers: Int
        }
        struct Usage: Decodable {
            let LayersSize: Int64
            let Images: [Entry]?
        }
        let usage = try JSONDecoder().decode(Usage.self, from: await api("system/df"))
        let images = (usage.Images ?? []).map { entry in
            DockerObject.Image(
                id: entry.Id.droppingAlgorithm, names: entry.RepoTags ?? [], parent: nil, size: entry.Size,
                sharedSize: entry.SharedSize, containers: entry.Containers)
        }
        return (images, usage.LayersSize)
    }

    /// What `docker system df -v` says of volumes and of the build cache.
    public func volumesAndCache() async throws -> (
        volumes: [DockerObject.Volume], cache: [DockerObject.CacheRecord]
    ) {
        struct Usage: Decodable {
            let Size: Int64
        }
        struct Volume: Decodable {
            let Name: String
            let Mountpoint: String
            let Labels: [String: String]?
            let UsageData: Usage?
        }
        struct Record: Decodable {
            let ID: String
            let Shared: Bool
            let InUse: Bool
            let Size: Int64
        }
        struct All: Decodable {
            let Volumes: [Volume]?
            let BuildCache: [Record]?
        }
        let all = try JSONDecoder().decode(All.self, from: await api("system/df"))
        let volumes = (all.Volumes ?? []).map { volume in
            DockerObject.Volume(
                name: volume.Name, mountpoint: volume.Mountpoint, labels: volume.Labels ?? [:],
                size: volume.UsageData?.Size ?? -1)
        }
        let cache = (all.BuildCache ?? []).map { record in
            DockerObject.CacheRecord(
                id: record.ID, isShared: record.Shared, isInUse: record.InUse, size: record.Size)
        }
        return (volumes, cache)
    }

    /// The steps of an image, the oldest first.
    public func history(of image: String) async throws -> [DockerObject.Step] {
        struct Entry: Decodable {
            let Id: String
            let CreatedBy: String
            let Size: Int64
        }
        return try JSONDecoder().decode([Entry].self, from: await api("images/\(image)/history")).reversed()
            .map { entry in
                DockerObject.Step(
                    image: entry.Id == "<missing>" ? nil : entry.Id.droppingAlgorithm,
                    instruction: entry.CreatedBy, size: entry.Size)
            }
    }

    /// Every container with the size of its writable layer, stopped ones too.
    public func containers() async throws -> [DockerObject.Container] {
        struct Entry: Decodable {
            let Id: String
            let Names: [String]
            let ImageID: String
            let SizeRw: Int64?
        }
        return try JSONDecoder().decode([Entry].self, from: await api("containers/json?all=1&size=1")).map {
            entry in
            DockerObject.Container(
                id: entry.Id, name: (entry.Names.first ?? "").trimmingPrefix("/").description,
                image: entry.ImageID.droppingAlgorithm, sizeRw: entry.SizeRw ?? 0)
        }
    }

    /// The parent that the engine stores for an image; nothing for one that was pulled or imported.
    public func parent(of image: String) async throws -> String? {
        let parent = try await docker("image", "inspect", "--format", "{{.Parent}}", image).droppingAlgorithm
        return parent.isEmpty ? nil : parent
    }

    /// The directories of an image's layers, the lowest first.
    public func layerDirectories(of image: String) async throws -> [String] {
        let format = "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}"
        let text = try await docker("image", "inspect", "--format", format, image)
        return text.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":")
            .map(String.init).filter { $0 != "<no value>" }.reversed()
    }

    /// The directory of a container's writable layer.
    public func upperDirectory(of container: String) async throws -> String {
        try await docker("inspect", "--format", "{{.GraphDriver.Data.UpperDir}}", container)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The process id of a running container's first process, as the host sees it.
    public func processID(of container: String) async throws -> Int32 {
        let text = try await docker("inspect", "--format", "{{.State.Pid}}", container)
        guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 0 else {
            throw WaitFailure(description: "container \(container) does not run")
        }
        return pid
    }

    /// Starts a container that does nothing, without a network, and returns its id; one of that name that a failed
    /// test left is removed.
    public func runIdle(name: String, image: String, options: [String] = []) async throws -> String {
        if try await containers().contains(where: { $0.name == name }) {
            try await docker("rm", "--force", "--volumes", name)
        }
        let arguments =
            ["run", "--detach", "--init", "--network", "none", "--name", name] + options + [
                image, "sleep", "infinity",
            ]
        return try await docker(arguments).droppingAlgorithm
    }
}
