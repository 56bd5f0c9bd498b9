import Accounting

/// The snapshots of the BuildKit that is part of the engine: `buildkit/snapshots.db`.
///
/// Layout: `daemon/internal/builder-next/adapters/snapshot` of moby/moby.
struct BuildCacheDatabase: Sendable {
    /// A directory of the driver that BuildKit made.
    struct Entry: Hashable, Sendable {
        /// The key of the snapshot that it lies on, as BuildKit has it.
        var parent: String?
        /// Whether nothing writes to it any more.
        var isCommitted = false
        /// Apparent bytes, once BuildKit has asked for them.
        var size: Int64?
    }

    struct Content: Sendable {
        /// By the driver's directory.
        var directories: [String: Entry] = [:]
        /// What each snapshot with a name of its own is: a directory of the driver's, or the chain id of a layer.
        ///
        /// A chain id has its algorithm before it.
        var names: [String: String] = [:]
        /// Whether it is all that BuildKit knows: else what it does not name may be of BuildKit all the same.
        var isComplete = true
    }

    private static let file = "snapshots.db"

    private var file = BoltFacts<(content: Content, wrong: MetadataFault?)>()

    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> Content {
        let directory: MetadataDirectory
        do throws(MetadataFault) {
            directory = try MetadataDirectory(path: paths.buildKit)
        } catch {
            if !error.isMissing { notes.add(error.asPending, of: .store) }
            return Content(isComplete: error.isMissing)
        }
        notes.directories.append(directory.path)
        guard directory.status(of: Self.file) != nil else { return Content() }
        let path = directory.path + "/" + Self.file
        notes.databases.append(path)
        let (facts, fault) = file.read(Self.file, in: directory, &notes) { Self.parse($0, path) }
        var content = facts?.content ?? Content()
        for fault in [fault, facts?.wrong].compactMap(\.self) where !fault.isMissing {
            // It is written to all the time while an image is built: the next reading will tell.
            notes.add(fault.asPending, of: .store)
            content.isComplete = false
        }
        return content
    }

    private static func parse(
        _ snapshot: BoltSnapshot, _ path: String
    ) -> (content: Content, wrong: MetadataFault?) {
        var content = Content()
        var wrong: [String] = []
        for (name, value) in snapshot.root {
            guard case .bucket(let bucket) = value else { continue }
            let key = String(decoding: name, as: UTF8.self)
            // One of the layer store; `layerdb` has it.
            if ObjectID.digest(key) != nil { continue }
            if bucket.value("committed") == nil, let chainID = bucket.text("chainid") {
                // Another name of a layer that an image brought; there is no directory of it.
                content.names[key] = chainID
                continue
            }
            let directory = bucket.text("committed") ?? key
            guard ObjectID.isDirectoryID(directory) else {
                wrong.append(directory)
                continue
            }
            if directory != key { content.names[key] = directory }
            var entry = content.directories[directory] ?? Entry()
            if directory != key || bucket.value("iscommitted") != nil { entry.isCommitted = true }
            entry.parent = entry.parent ?? bucket.text("parent").flatMap { $0.isEmpty ? nil : $0 }
            if let text = bucket.text("size"), let size = Int64(text), size >= 0 { entry.size = size }
            content.directories[directory] = entry
        }
        let fault = wrong.min().map { first in
            MetadataFault.damaged(
                path,
                "\(ObjectID.quoted(first)) names no directory of the driver (\(wrong.count) such in all)")
        }
        return (content, fault)
    }
}

extension BoltBucket {
    /// The value as text; `nil` where there is none.
    func text(_ key: String) -> String? {
        value(key).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension MetadataFault {
    /// The same fault as one that may pass, for a database whose loss leaves the rest of the store readable.
    var asPending: MetadataFault {
        guard severity == .unreadable else { return self }
        var fault = self
        fault.severity = .pending
        return fault
    }
}
