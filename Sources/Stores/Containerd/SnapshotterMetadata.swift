/// What a snapshotter's `metadata.db` says: every snapshot that has a directory.
///
/// Layout: `core/snapshots/storage/bolt.go` of containerd/containerd.
struct SnapshotterMetadata: Hashable, Sendable {
    struct Snapshot: Hashable, Sendable {
        enum Kind: UInt8, Hashable, Sendable {
            case view = 1
            case active, committed
        }

        /// Names the directory.
        var number: UInt64
        var kind: Kind
        /// The key of the snapshot below; `nil` for the lowest.
        var parent: String?
        /// Allocated bytes, as they were when it was committed.
        var declaredBytes: Int64?
    }

    /// By their keys, `NAMESPACE/SEQUENCE/NAME`.
    var snapshots: [String: Snapshot] = [:]
    /// Why a snapshot is not there as the database has it, by its key.
    var faults: [String: String] = [:]

    init() {}

    init(_ database: BoltSnapshot) {
        guard let bucket = database.root.bucket("v1")?.bucket("snapshots") else { return }
        snapshots.reserveCapacity(bucket.count)
        for (key, value) in bucket {
            guard case .bucket(let record) = value else { continue }
            guard let key = key.text else {
                faults[String(decoding: key, as: UTF8.self)] = "its key is not UTF-8"
                continue
            }
            guard let number = record.value("id").flatMap(GoValues.unsigned),
                let kind = record.value("kind")?.first.flatMap(Snapshot.Kind.init)
            else {
                faults[key] = "its directory or its kind is not told"
                continue
            }
            var snapshot = Snapshot(number: number, kind: kind)
            if let parent = record.value("parent"), !parent.isEmpty {
                snapshot.parent = parent.text
                if parent.text == nil { faults[key] = "the key of its parent is not UTF-8" }
            }
            if let size = record.value("size") {
                snapshot.declaredBytes = GoValues.signed(size).flatMap { $0 < 0 ? nil : $0 }
                if snapshot.declaredBytes == nil { faults[key] = "its size is no number of bytes" }
            }
            snapshots[key] = snapshot
        }
    }

    /// The parts of a key: the namespace, a number that grows with each snapshot, and the name in the namespace.
    static func parts(ofKey key: String) -> (namespace: String, sequence: UInt64, name: String)? {
        let parts = key.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let sequence = UInt64(parts[1]) else { return nil }
        return (String(parts[0]), sequence, String(parts[2]))
    }
}
