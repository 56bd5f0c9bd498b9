/// What `meta.db` says: the images, containers, snapshots and blobs of each namespace.
///
/// Layout: `core/metadata/buckets.go` of containerd/containerd.
struct ContainerdMetadata: Hashable, Sendable {
    struct Container: Hashable, Sendable {
        var image: String?
        var snapshotter: String
        /// The name of its snapshot in the namespace; empty for one whose root file system is elsewhere.
        var snapshotKey: String
        var labels: [String: String]
        var created: String?
        /// `runtime-spec` as JSON in a message of protocol buffers.
        var spec: ArraySlice<UInt8>
    }

    struct Blob: Hashable, Sendable {
        var size: Int64?
        /// Those that begin with `containerd.io/gc.ref.`: what the blob refers to.
        var references: [String: String]
    }

    struct Namespace: Hashable, Sendable {
        /// The digest that each name stands for.
        var images: [String: String] = [:]
        /// The digest of the image that one was built on, by name, as Docker's builder notes it.
        var parents: [String: String] = [:]
        var containers: [String: Container] = [:]
        /// By snapshotter and name, the snapshot's key in the snapshotter's own database.
        var snapshots: [String: [String: String]] = [:]
        var blobs: [String: Blob] = [:]
        /// The names of the snapshots that records of BuildKit's hold, by snapshotter.
        var buildRecords: [String: Set<String>] = [:]
        /// The digests of the blobs that they hold.
        var buildContent: Set<String> = []
    }

    /// On an image: the one that Docker's builder built it on (`daemon/containerd/image_builder.go` of moby/moby).
    private static let parentLabel = "org.mobyproject.image.parent"
    /// On a lease that holds what it names and nothing that this refers to.
    ///
    /// BuildKit has one for each record of its cache (`cache/manager.go` of moby/buildkit).
    private static let flatLabel = "containerd.io/gc.flat"

    struct Fault: Hashable, Sendable {
        enum Object: Hashable, Sendable {
            case image(String), container(String), snapshot(String), blob(String)
        }

        var namespace: String
        var object: Object
        var reason: String
    }

    var namespaces: [String: Namespace] = [:]
    var faults: [Fault] = []

    init() {}

    init(_ database: BoltSnapshot) {
        guard let root = database.root.bucket("v1") else { return }
        for (key, value) in root {
            guard case .bucket(let bucket) = value, let name = key.text else { continue }
            namespaces[name] = namespace(name, bucket)
        }
    }

    private mutating func namespace(_ name: String, _ bucket: BoltBucket) -> Namespace {
        var namespace = Namespace()
        for (image, record) in Self.records(bucket.bucket("images")) {
            if let digest = record.bucket("target")?.value("digest")?.text {
                namespace.images[image] = digest
                namespace.parents[image] = record.bucket("labels")?.value(Self.parentLabel)?.text
            } else {
                note(name, .image(image), "it has no target")
            }
        }
        for (id, record) in Self.records(bucket.bucket("containers")) {
            namespace.containers[id] = Container(
                image: record.value("image")?.text, snapshotter: record.value("snapshotter")?.text ?? "",
                snapshotKey: record.value("snapshotKey")?.text ?? "",
                labels: Self.texts(record.bucket("labels")),
                created: record.value("createdat").flatMap(GoValues.time), spec: record.value("spec") ?? [])
        }
        for (snapshotter, snapshots) in Self.records(bucket.bucket("snapshots")) {
            for (key, record) in Self.records(snapshots) {
                // One without is about to be made.
                guard let known = record.value("name") else { continue }
                if let known = known.text {
                    namespace.snapshots[snapshotter, default: [:]][key] = known
                } else {
                    note(name, .snapshot(key), "its name in the snapshotter is not UTF-8")
                }
            }
        }
        for (_, lease) in Self.records(bucket.bucket("leases"))
        where lease.bucket("labels")?.value(Self.flatLabel) != nil {
            for (snapshotter, names) in Self.records(lease.bucket("snapshots")) {
                let held = names.compactMap { $0.key.text }
                namespace.buildRecords[snapshotter, default: []].formUnion(held)
            }
            namespace.buildContent.formUnion(lease.bucket("content")?.compactMap { $0.key.text } ?? [])
        }
        for (digest, record) in Self.records(bucket.bucket("content")?.bucket("blob")) {
            let size = record.value("size").flatMap(GoValues.signed).flatMap { $0 < 0 ? nil : $0 }
            if size == nil { note(name, .blob(digest), "its size is no number of bytes") }
            let labels = Self.texts(record.bucket("labels"))
            namespace.blobs[digest] = Blob(
                size: size, references: labels.filter { $0.key.hasPrefix("containerd.io/gc.ref.") })
        }
        return namespace
    }

    private mutating func note(_ namespace: String, _ object: Fault.Object, _ reason: String) {
        faults.append(Fault(namespace: namespace, object: object, reason: reason))
    }

    /// The buckets in a bucket, by names that are text.
    private static func records(_ bucket: BoltBucket?) -> [(String, BoltBucket)] {
        guard let bucket else { return [] }
        return bucket.compactMap { element in
            guard case .bucket(let record) = element.value, let key = element.key.text else { return nil }
            return (key, record)
        }
    }

    private static func texts(_ bucket: BoltBucket?) -> [String: String] {
        guard let bucket else { return [:] }
        var texts: [String: String] = [:]
        for (key, value) in bucket {
            guard case .bytes(let bytes) = value else { continue }
            texts[String(decoding: key, as: UTF8.self)] = String(decoding: bytes, as: UTF8.self)
        }
        return texts
    }
}
