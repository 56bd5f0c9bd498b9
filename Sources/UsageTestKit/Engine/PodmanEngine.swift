internal import Foundation

/// Real Podman and Buildah on a graph root of their own; there is no daemon, each command does its work.
///
/// They have no network and none of the host's configuration.
public final class PodmanEngine: Sendable {
    public struct Image: Hashable, Sendable {
        public let id: String
        public let names: [String]
        /// The lengths of the layers' tar streams and of what the store keeps beside the image.
        public let size: Int64
    }

    public struct Container: Hashable, Sendable {
        public let id: String
        public let name: String
        public let isRunning: Bool
        /// Apparent bytes of the writable layer.
        public let sizeRw: Int64
        /// Apparent bytes of the image's layers and of the writable one.
        public let sizeRootFS: Int64
    }

    public static let base = "localhost/base:1"

    public let directory: ScratchDirectory
    public let driver: String

    /// The graph root; `usaged --store containers-storage=` takes it.
    public let root: String
    public var runRoot: String { directory("run") }
    /// The configuration that names both.
    public var configuration: String { directory("storage.conf") }

    /// Makes an empty store below a new scratch directory, or at a root on another file system, with the image ``base``:
    /// a shell.
    public static func make(driver: String, root: String? = nil) async throws -> PodmanEngine {
        let engine = PodmanEngine(directory: try ScratchDirectory("podman"), driver: driver, root: root)
        do {
            try await engine.prepare()
        } catch {
            try? await engine.directory.remove()
            throw error
        }
        return engine
    }

    private init(directory: ScratchDirectory, driver: String, root: String?) {
        self.root = root ?? directory("root")
        self.directory = directory
        self.driver = driver
    }

    private func prepare() async throws {
        // The limits that the engine would set may be above those of the host.
        try directory.write(
            "[containers]\ndefault_ulimits = []\nlog_driver = \"k8s-file\"\n", to: "containers.conf")
        try directory.write(
            "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(root)\"\nrunroot = \"\(runRoot)\"\n",
            to: "storage.conf")
        let binary = try directory.directory("base/bin")
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].first(where: FileManager.default.fileExists)
        guard let busybox else {
            throw WaitFailure(description: "there is no busybox: install busybox-static")
        }
        try FileManager.default.copyItem(atPath: busybox, toPath: binary + "/busybox")
        for name in ["sh", "sleep", "rm", "head", "mkdir", "ln"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(binary)/\(name)", withDestinationPath: "busybox")
        }
        try await Command.output(["tar", "-C", directory("base"), "-cf", directory("base.tar"), "."])
        try await podman("import", directory("base.tar"), Self.base)
    }

    /// Removes the containers and all that was kept.
    public func stop() async throws {
        _ = try? await podman("rm", "--all", "--force", "--time", "0")
        try await directory.remove()
    }

    /// Runs `podman` on this store and returns what it printed; throws when it fails.
    @discardableResult
    public func podman(_ arguments: String...) async throws -> String {
        try await podman(arguments)
    }

    @discardableResult
    public func podman(_ arguments: [String]) async throws -> String {
        try await run(
            [
                "podman", "--root", root, "--runroot", runRoot, "--storage-driver", driver, "--tmpdir",
                directory("tmp"), "--events-backend", "file", "--cgroup-manager", "cgroupfs",
            ] + arguments)
    }

    /// Runs `buildah` on this store and returns what it printed; throws when it fails.
    @discardableResult
    public func buildah(_ arguments: String...) async throws -> String {
        try await run(
            ["buildah", "--root", root, "--runroot", runRoot, "--storage-driver", driver] + arguments)
    }

    private func run(_ arguments: [String]) async throws -> String {
        try await Command.output(
            arguments,
            environment: [
                "CONTAINERS_CONF": directory("containers.conf"), "CONTAINERS_STORAGE_CONF": configuration,
                "HOME": directory.path,
            ], deadline: .seconds(120)
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Makes an image of one layer with a file of `size` bytes on another, and returns its id.
    @discardableResult
    public func build(_ name: String, on base: String = base, size: Int) async throws -> String {
        let container = try await buildah("from", "--pull-never", base)
        let file = try directory.write(String(repeating: "x", count: size), to: "file-\(name)")
        try await buildah("copy", container, file, "/srv/\(name)")
        try await buildah("config", "--created-by", "COPY \(name)", container)
        let id = try await buildah("commit", "--quiet", container, "localhost/\(name)")
        try await buildah("rm", container)
        return id.split(separator: "\n").last.map(String.init) ?? ""
    }

    /// Starts a container that runs `script`, without a network, and returns its id.
    @discardableResult
    public func start(
        _ name: String, image: String = base, options: [String] = [], script: String
    ) async throws -> String {
        try await podman(
            ["run", "--detach", "--network", "none", "--name", name] + options + [image, "sh", "-c", script])
    }

    /// Every image, those without a name too.
    public func images() async throws -> [Image] {
        struct Entry: Decodable {
            let Id: String
            let Names: [String]?
            let Size: Int64
        }
        let text = try await podman("images", "--all", "--format", "json")
        return try JSONDecoder().decode([Entry].self, from: Data(text.utf8)).map {
            Image(id: $0.Id, names: ($0.Names ?? []).sorted(), size: $0.Size)
        }
    }

    /// Every container of Podman's own, with sizes.
    public func containers() async throws -> [Container] {
        struct Size: Decodable {
            let rootFsSize: Int64
            let rwSize: Int64
        }
        struct Entry: Decodable {
            let Id: String
            let Names: [String]
            let State: String
            let Size: Size
        }
        let text = try await podman("ps", "--all", "--size", "--format", "json")
        return try JSONDecoder().decode([Entry].self, from: Data(text.utf8)).map {
            Container(
                id: $0.Id, name: $0.Names.first ?? "", isRunning: $0.State == "running",
                sizeRw: $0.Size.rwSize, sizeRootFS: $0.Size.rootFsSize)
        }
    }
}
