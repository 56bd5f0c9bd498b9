internal import Foundation
internal import Kernel
internal import Stores

/// Makes the root of a containerd in the order of the engine: directories, the snapshotter's database, then `meta.db`.
///
/// It knows what is in the store by itself; the databases are written by ``BoltFileBuilder``, into the same files each
/// time, as the engine does.
public struct ContainerdStoreBuilder {
    /// What a snapshot is, by its number in the database.
    public enum Kind: UInt8, Sendable {
        case view = 1
        case active, committed
    }

    /// One layer of an image: what is in it.
    public struct Layer: Sendable {
        public var content: LayerContent
        /// The whole root file system up to it, for snapshotters that copy it.
        public var whole: LayerContent

        public init(_ content: LayerContent, whole: LayerContent? = nil) {
            self.content = content
            self.whole = whole ?? content
        }
    }

    /// What an image came to be.
    public struct Image: Sendable {
        /// Digests with their algorithm.
        public let target: String
        public let manifest: String
        public let config: String
        public let blobs: [String]
        public let chains: [String]
    }

    private struct Database {
        var tree = BoltTree()
        var file: BoltFileBuilder
        let path: String
    }

    public let root: String
    public let state: String
    private var metadata: Database
    private var snapshotters: [String: Database] = [:]
    private var sequence: UInt64 = 0
    private var numbers: [String: UInt64] = [:]

    public init(root: String, state: String) throws {
        self.root = root
        self.state = state
        metadata = Database(
            file: BoltFileBuilder(hasFreelist: false), path: root + "/io.containerd.metadata.v1.bolt/meta.db")
        metadata.tree["v1", "version"] = .signed(3)
        for directory in [
            "io.containerd.metadata.v1.bolt", "io.containerd.content.v1.content/blobs/sha256",
            "io.containerd.content.v1.content/ingest", "tmpmounts", "io.containerd.runtime.v2.task",
        ] { try StoreFiles.makeDirectory("\(root)/\(directory)") }
        for name in ["overlayfs", "native"] {
            let path = directory(of: name)
            try StoreFiles.makeDirectory(path + "/snapshots")
            snapshotters[name] = Database(file: BoltFileBuilder(), path: path + "/metadata.db")
        }
        try commit()
    }

    public func directory(of snapshotter: String) -> String {
        "\(root)/io.containerd.snapshotter.v1.\(snapshotter)"
    }

    public var metadataPath: String { metadata.path }

    public func blobPath(_ digest: String) -> String {
        "\(root)/io.containerd.content.v1.content/blobs/\(digest.replacingOccurrences(of: ":", with: "/"))"
    }

    /// Ends a transaction in each database that changed.
    public mutating func commit() throws {
        for name in snapshotters.keys.sorted() {
            if var database = snapshotters[name] {
                try Self.write(&database)
                snapshotters[name] = database
            }
        }
        try Self.write(&metadata)
    }

    private static func write(_ database: inout Database) throws {
        database.file.commit(database.tree)
        let raw = open(database.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard raw >= 0 else { throw WaitFailure(description: "cannot open \(database.path)") }
        defer { close(raw) }
        let bytes = database.file.bytes
        guard pwrite(raw, bytes, bytes.count, 0) == bytes.count else {
            throw WaitFailure(description: "cannot write \(database.path)")
        }
    }

    /// Changes `meta.db` as the engine never would.
    public mutating func change(_ path: [String], to node: BoltTree.Node?) {
        metadata.tree[path.map { Array($0.utf8) }[...]] = node
    }

    /// Changes a snapshotter's database as the engine never would.
    public mutating func change(_ snapshotter: String, _ path: [String], to node: BoltTree.Node?) {
        snapshotters[snapshotter]?.tree[path.map { Array($0.utf8) }[...]] = node
    }

    // MARK: Content

    /// Writes a blob and its record, and returns its digest.
    @discardableResult
    public mutating func addBlob(
        _ bytes: [UInt8], namespace: String = "default", labels: [String: String] = [:]
    ) throws -> String {
        let digest = "sha256:" + SHA256.hex(bytes)
        try Data(bytes).write(to: URL(fileURLWithPath: blobPath(digest)))
        let path = ["v1", namespace, "content", "blob", digest]
        change(path + ["size"], to: .signed(Int64(bytes.count)))
        change(path + ["createdat"], to: .value(Self.time))
        for (key, value) in labels { change(path + ["labels", key], to: .text(value)) }
        return digest
    }

    public mutating func removeBlob(_ digest: String, namespace: String = "default") throws {
        change(["v1", namespace, "content", "blob", digest], to: nil)
        try? FileManager.default.removeItem(atPath: blobPath(digest))
    }

    /// Writes the blobs of an image, unpacks it, and gives it a name; `platforms` of an index are not unpacked but for
    /// the first.
    @discardableResult
    public mutating func addImage(
        _ name: String, _ layers: [Layer], namespace: String = "default", snapshotter: String = "overlayfs",
        others: [String] = [], isUnpacked: Bool = true, isCompressed: Bool = true
    ) throws -> Image {
        var blobs: [String] = []
        var diffs: [String] = []
        for layer in layers {
            let tar = Array("tar of \(layer.content.files)".utf8)
            diffs.append("sha256:" + SHA256.hex(tar))
            blobs.append(try addBlob((isCompressed ? [31, 139] : []) + tar, namespace: namespace))
        }
        var chains: [String] = []
        for diff in diffs {
            chains.append(chains.last.map { "sha256:" + SHA256.hex(Array("\($0) \(diff)".utf8)) } ?? diff)
        }
        let steps =
            diffs.indices.map { #"{"created_by":"step \#($0)"}"# } + [
                #"{"created_by":"CMD","empty_layer":true}"#
            ]
        let config = try addBlob(
            Array(
                #"{"architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05Z","rootfs":{"type":"layers","diff_ids":\#(Self.list(diffs))},"history":[\#(steps.joined(separator: ","))]}"#
                    .utf8), namespace: namespace,
            labels: isUnpacked ? ["containerd.io/gc.ref.snapshot.\(snapshotter)": chains.last ?? ""] : [:])
        let descriptors = blobs.map { #"{"digest":"\#($0)","size":1}"# }.joined(separator: ",")
        var references = ["containerd.io/gc.ref.content.config": config]
        for (index, blob) in blobs.enumerated() {
            references["containerd.io/gc.ref.content.l.\(index)"] = blob
        }
        let manifest = try addBlob(
            Array(
                #"{"schemaVersion":2,"config":{"digest":"\#(config)"},"layers":[\#(descriptors)]}"#.utf8),
            namespace: namespace, labels: references)
        var target = manifest
        if !others.isEmpty {
            let all = ([manifest] + others).map { #"{"digest":"\#($0)","size":1}"# }.joined(separator: ",")
            target = try addBlob(
                Array(#"{"schemaVersion":2,"manifests":[\#(all)]}"#.utf8), namespace: namespace,
                labels: ["containerd.io/gc.ref.content.m.0": manifest])
        }
        setImage(name, target, namespace: namespace)
        if isUnpacked {
            var parent: String?
            for (layer, chain) in zip(layers, chains) {
                try addSnapshot(
                    chain, on: parent, content: snapshotter == "native" ? layer.whole : layer.content,
                    kind: .committed, namespace: namespace, snapshotter: snapshotter)
                parent = chain
            }
        }
        return Image(target: target, manifest: manifest, config: config, blobs: blobs, chains: chains)
    }

    public mutating func setImage(_ name: String, _ target: String?, namespace: String = "default") {
        let path = ["v1", namespace, "images", name]
        guard let target else { return change(path, to: nil) }
        change(path + ["target", "digest"], to: .text(target))
        change(path + ["target", "size"], to: .signed(1))
        change(path + ["createdat"], to: .value(Self.time))
    }

    // MARK: Snapshots

    /// Makes a snapshot's directory and its records, and returns the number that names the directory.
    @discardableResult
    public mutating func addSnapshot(
        _ name: String, on parent: String? = nil, content: LayerContent = LayerContent(),
        kind: Kind = .active, namespace: String = "default", snapshotter: String = "overlayfs",
        inMetadata: Bool = true
    ) throws -> UInt64 {
        sequence += 1
        let number = (numbers[snapshotter] ?? 0) + 1
        numbers[snapshotter] = number
        let key = "\(namespace)/\(sequence)/\(name)"
        let directory = "\(self.directory(of: snapshotter))/snapshots/\(number)"
        let layer = snapshotter == "overlayfs" ? directory + "/fs" : directory
        try StoreFiles.makeDirectory(layer)
        if snapshotter == "overlayfs", kind != .view { try StoreFiles.makeDirectory(directory + "/work") }
        try content.write(below: layer)
        let below = parent.flatMap { self.key(of: $0, namespace: namespace, snapshotter: snapshotter) }
        let record = ["v1", "snapshots", key]
        change(snapshotter, record + ["id"], to: .unsigned(number))
        change(snapshotter, record + ["kind"], to: .value([kind.rawValue]))
        if let below {
            change(snapshotter, record + ["parent"], to: .text(below))
            change(snapshotter, ["v1", "parents", "\(number)"], to: .text(key))
        }
        if kind == .committed {
            change(snapshotter, record + ["size"], to: .signed(Int64(content.sizeBytes)))
            change(snapshotter, record + ["inodes"], to: .signed(3))
        }
        guard inMetadata else { return number }
        let path = ["v1", namespace, "snapshots", snapshotter, name]
        change(path + ["name"], to: .text(key))
        if let parent { change(path + ["parent"], to: .text(parent)) }
        return number
    }

    /// The key that a snapshot has in the snapshotter's database.
    public func key(of name: String, namespace: String = "default", snapshotter: String = "overlayfs")
        -> String?
    {
        let path = ["v1", namespace, "snapshots", snapshotter, name, "name"]
        guard case .value(let bytes)? = metadata.tree[path.map { Array($0.utf8) }[...]] else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Removes the records of a snapshot, and its directory unless something hinders the engine.
    public mutating func removeSnapshot(
        _ name: String, number: UInt64, namespace: String = "default", snapshotter: String = "overlayfs",
        leavingDirectory: Bool = false
    ) throws {
        if let key = key(of: name, namespace: namespace, snapshotter: snapshotter) {
            change(snapshotter, ["v1", "snapshots", key], to: nil)
        }
        change(["v1", namespace, "snapshots", snapshotter, name], to: nil)
        if !leavingDirectory {
            try FileManager.default.removeItem(atPath: "\(directory(of: snapshotter))/snapshots/\(number)")
        }
    }

    /// Makes a lease of BuildKit's, as each record of its cache has one.
    public mutating func addBuildRecord(
        _ id: String, holding names: [String], namespace: String = "default",
        snapshotter: String = "overlayfs"
    ) {
        let path = ["v1", namespace, "leases", id]
        change(path + ["createdat"], to: .value(Self.time))
        change(path + ["labels", "containerd.io/gc.flat"], to: .text("2026-01-02T03:04:05Z"))
        for name in names { change(path + ["snapshots", snapshotter, name], to: .value([])) }
    }

    // MARK: Containers

    /// Adds a container with a snapshot of its own, and returns the snapshot's number.
    @discardableResult
    public mutating func addContainer(
        _ id: String, image: String? = nil, on parent: String? = nil, content: LayerContent = LayerContent(),
        labels: [String: String] = [:], mounts: String = "[]", namespace: String = "default",
        snapshotter: String = "overlayfs", isRunning: Bool = false
    ) throws -> UInt64 {
        let number = try addSnapshot(
            id, on: parent, content: content, namespace: namespace, snapshotter: snapshotter)
        let path = ["v1", namespace, "containers", id]
        if let image { change(path + ["image"], to: .text(image)) }
        change(path + ["snapshotter"], to: .text(snapshotter))
        change(path + ["snapshotKey"], to: .text(id))
        change(path + ["createdat"], to: .value(Self.time))
        for (key, value) in labels { change(path + ["labels", key], to: .text(value)) }
        let type = Array("types.containerd.io/opencontainers/runtime-spec/1/Spec".utf8)
        let spec = Array(#"{"ociVersion":"1.0.2","mounts":\#(mounts)}"#.utf8)
        change(
            path + ["spec"],
            to: .value(
                [0x0A] + BoltTree.Node.encode(UInt64(type.count)) + type + [0x12]
                    + BoltTree.Node.encode(UInt64(spec.count)) + spec))
        if isRunning {
            try StoreFiles.makeDirectory("\(state)/io.containerd.runtime.v2.task/\(namespace)/\(id)")
        }
        return number
    }

    /// 2026-01-02 03:04:05 UTC, as Go's `time.Time` writes itself.
    private static let time: [UInt8] =
        [1] + (0..<8).map { UInt8(truncatingIfNeeded: (62_135_596_800 + 1_767_323_045) >> (56 - 8 * $0)) }
        + [0, 0, 0, 0, 0xFF, 0xFF]

    private static func list(_ texts: [String]) -> String {
        "[" + texts.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    }
}
