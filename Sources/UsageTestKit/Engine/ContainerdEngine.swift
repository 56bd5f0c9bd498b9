internal import Foundation

/// A real `containerd` with everything that it keeps below a directory of its own, and no runtime.
public final class ContainerdEngine: Sendable {
    public let directory: ScratchDirectory
    private let process: ChildProcess

    public let root: String
    public var state: String { directory("state") }
    private var socket: String { directory("containerd.sock") }

    /// Starts an engine below a new scratch directory, its root there or on another file system, and waits until it
    /// answers.
    public static func start(root: String? = nil) async throws -> ContainerdEngine {
        let directory = try ScratchDirectory("containerd")
        let root = root ?? directory("root")
        let configuration = try directory.write(
            """
            version = 2
            root = "\(root)"
            state = "\(directory("state"))"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "\(directory("containerd.sock"))"
            """, to: "config.toml")
        let process = try await ChildProcess.start(
            ["containerd", "--config", configuration, "--log-level", "warn"],
            output: .file(directory("log")), error: .file(directory("log")), diesWithParent: true)
        let engine = ContainerdEngine(directory: directory, root: root, process: process)
        do {
            try await wait(until: "containerd to answer", deadline: .seconds(60)) {
                try await engine.ctr("version").contains("Server")
            }
        } catch {
            try? await engine.stop()
            throw error
        }
        return engine
    }

    private init(directory: ScratchDirectory, root: String, process: ChildProcess) {
        self.root = root
        self.directory = directory
        self.process = process
    }

    /// Runs `ctr` on this engine and returns what it printed; throws when it fails.
    @discardableResult
    public func ctr(_ arguments: [String], namespace: String = "default") async throws -> String {
        try await Command.output(["ctr", "--address", socket, "--namespace", namespace] + arguments)
    }

    @discardableResult
    public func ctr(_ arguments: String..., namespace: String = "default") async throws -> String {
        try await ctr(arguments, namespace: namespace)
    }

    /// Removes what nothing refers to in any namespace, such as the index of an archive that was imported.
    ///
    /// It returns when all of that is gone; by itself containerd removes it at a time of its own. Throws when a
    /// command fails.
    public func collectGarbage() async throws {
        try await ctr("leases", "create", "--id", "garbage")
        try await ctr("leases", "delete", "--sync", "garbage")
    }

    /// Has a lease hold a snapshot, by the call that `ctr` has no command for: `Leases.AddResource`.
    public func add(snapshot: String, to lease: String, namespace: String) async throws {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            precondition(bytes.count < 128, "one byte tells the length")
            return [number << 3 | 2, UInt8(bytes.count)] + bytes
        }
        let resource = field(1, Array(snapshot.utf8)) + field(2, Array("snapshots/overlayfs".utf8))
        let message = field(1, Array(lease.utf8)) + [2 << 3 | 2]
        let length = [UInt8(resource.count & 0x7F | 0x80), UInt8(resource.count >> 7)]
        let whole = message + length + resource
        let path = directory("request-\(UUID().uuidString)")
        // Not compressed, and the length in four bytes.
        try Data([0, 0, 0, UInt8(whole.count >> 8), UInt8(whole.count & 0xFF)] + whole).write(
            to: URL(fileURLWithPath: path))
        try await Command.output([
            "curl", "--silent", "--fail", "--http2-prior-knowledge", "--unix-socket", socket, "--header",
            "content-type: application/grpc", "--header", "te: trailers", "--header",
            "containerd-namespace: \(namespace)", "--data-binary", "@\(path)", "--output", path + ".answer",
            "http://containerd/containerd.services.leases.v1.Leases/AddResource",
        ])
    }

    /// Ends the engine and removes all that it kept.
    public func stop() async throws {
        process.signal(SIGTERM)
        do {
            try await process.ended(within: .seconds(20))
        } catch {
            process.signal(SIGKILL, group: true)
            try await process.ended(within: .seconds(10))
        }
        try await directory.remove()
    }

    /// Makes an archive of images in the layout of OCI, each of some layers, and returns its path.
    ///
    /// Layers of the same content are one blob. With `index`, the first image is one of a list of platforms, whose
    /// second one has no layer in common with it.
    public func archive(
        _ images: [(name: String, layers: [[String: Int]])], index: Bool = false, isCompressed: Bool = true
    ) async throws -> String {
        let name = "archive-\(UUID().uuidString)"
        let layout = try directory.directory(name)
        try directory.directory("\(name)/blobs/sha256")
        var entries: [String] = []
        for image in images {
            var manifest = try await self.manifest(image.layers, "amd64", layout, isCompressed)
            if index, entries.isEmpty {
                let other = try await self.manifest([["other": 54_321]], "arm64", layout, isCompressed)
                let text =
                    #"{"schemaVersion":2,"mediaType":"\#(Self.type)index.v1+json","manifests":[\#(manifest)},\#(other)}]}"#
                let blob = try await self.blob(text, layout)
                manifest =
                    #"{"mediaType":"\#(Self.type)index.v1+json","digest":"\#(blob.digest)","size":\#(blob.size)"#
            }
            entries.append(manifest + #","annotations":{"io.containerd.image.name":"\#(image.name)"}}"#)
        }
        try directory.write(#"{"imageLayoutVersion":"1.0.0"}"#, to: "\(name)/oci-layout")
        try directory.write(
            #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#, to: "\(name)/index.json"
        )
        let tar = directory("\(name).tar")
        try await Command.output(["tar", "-C", layout, "-cf", tar, "."])
        return tar
    }

    private static let type = "application/vnd.oci.image."

    /// Writes the blobs of one platform and returns its descriptor, without the brace at its end.
    private func manifest(
        _ layers: [[String: Int]], _ architecture: String, _ layout: String, _ isCompressed: Bool
    ) async throws -> String {
        var diffs: [String] = []
        var descriptors: [String] = []
        for layer in layers {
            let content = "\(layout)-content-\(UUID().uuidString)"
            for (path, size) in layer {
                let file = URL(fileURLWithPath: "\(content)/\(path)")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(repeating: UInt8(size % 251), count: size).write(to: file)
            }
            let tar = content + ".tar"
            try await Command.output([
                "tar", "--sort=name", "--mtime=@1000000000", "--owner=0", "--group=0", "--numeric-owner",
                "-C",
                content, "-cf", tar, ".",
            ])
            diffs.append(try await digest(tar))
            if isCompressed { try await Command.output(["gzip", "--no-name", "--keep", tar]) }
            let blob = try await add(isCompressed ? tar + ".gz" : tar, layout)
            let suffix = isCompressed ? "+gzip" : ""
            descriptors.append(
                #"{"mediaType":"\#(Self.type)layer.v1.tar\#(suffix)","digest":"\#(blob.digest)","size":\#(blob.size)}"#
            )
        }
        let steps = diffs.indices.map { #"{"created_by":"step \#($0)"}"# }.joined(separator: ",")
        let list = diffs.map { "\"\($0)\"" }.joined(separator: ",")
        let config = try await blob(
            #"{"architecture":"\#(architecture)","os":"linux","created":"2026-01-01T00:00:00Z","config":{},"rootfs":{"type":"layers","diff_ids":[\#(list)]},"history":[\#(steps)]}"#,
            layout)
        let manifest = try await blob(
            #"{"schemaVersion":2,"mediaType":"\#(Self.type)manifest.v1+json","config":{"mediaType":"\#(Self.type)config.v1+json","digest":"\#(config.digest)","size":\#(config.size)},"layers":[\#(descriptors.joined(separator: ","))]}"#,
            layout)
        return
            #"{"mediaType":"\#(Self.type)manifest.v1+json","digest":"\#(manifest.digest)","size":\#(manifest.size),"platform":{"architecture":"\#(architecture)","os":"linux"}"#
    }

    private func blob(_ text: String, _ layout: String) async throws -> (digest: String, size: Int) {
        let path = "\(layout)-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try await add(path, layout)
    }

    private func add(_ path: String, _ layout: String) async throws -> (digest: String, size: Int) {
        let digest = try await digest(path)
        let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
        let hex = digest.dropFirst("sha256:".count)
        try await Command.output(["cp", path, "\(layout)/blobs/sha256/\(hex)"])
        return (digest, size)
    }

    private func digest(_ path: String) async throws -> String {
        "sha256:" + (try await Command.output(["sha256sum", path])).prefix(64)
    }
}
