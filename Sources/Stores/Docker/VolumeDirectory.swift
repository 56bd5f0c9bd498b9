import Accounting
import Kernel

/// The volumes of the engine: `volumes`, with what `volumes/metadata.db` says of each.
struct VolumeDirectory: Sendable {
    struct Entry: Sendable {
        /// Whether it has a directory of the engine's own.
        var isLocal = false
        /// What the local driver mounts on its directory while it is in use; `nil` for one that is that directory.
        var mounted: String?
        /// Whether `_data` is a directory on the file system of the volumes.
        var hasData = false
        var driver = "local"
        var labels: [String: String] = [:]
        var faults: [MetadataFault] = []
    }

    private struct Record: Decodable, Sendable {
        var driver: String?
        var labels: [String: String]

        private enum CodingKeys: String, CodingKey {
            case driver = "Driver"
            case labels = "Labels"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            driver = values.lossy(String.self, .driver).flatMap { $0.isEmpty ? nil : $0 }
            labels = (values.lossy([String: Lossy<String>].self, .labels) ?? [:]).compactMapValues(\.value)
        }
    }

    /// What the local driver mounts, as `opts.json` has it.
    private struct Options: Decodable, Sendable {
        var type: String
        var device: String

        private enum CodingKeys: String, CodingKey {
            case type = "MountType"
            case device = "MountDevice"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            type = values.lossy(String.self, .type) ?? ""
            device = values.lossy(String.self, .device) ?? ""
        }
    }

    private struct Known: Sendable {
        var mounted: String?
        var faults: [MetadataFault] = []
    }

    static let database = "metadata.db"
    private static let options = "opts.json"
    private static let optionsLimit = 1 << 20
    private static let bucket = "volumes"

    private var cache = StampedCache<Known>()
    private var file = BoltFacts<(records: [String: Record], wrong: MetadataFault?)>()

    /// All volumes by name.
    mutating func read(_ paths: DockerPaths, _ notes: inout ReadingNotes) -> [String: Entry] {
        cache.startPass()
        guard let directory = MetadataDirectory.watched(paths.volumes, &notes) else { return [:] }
        let device = directory.device
        let records = records(directory, &notes)
        var volumes: [String: Entry] = [:]
        let (names, fault) = directory.names { directory.missingDirectory($0) == nil }
        if let fault { notes.add(fault, of: .store) }
        for name in names {
            guard let text = String(validating: name.bytes, as: UTF8.self), volumes[text] == nil else {
                let reason = "its name is not UTF-8, or as another one's; it cannot be accounted: rename it"
                notes.add(.damaged("\(directory.path)/\(name.escaped)", reason), of: .volume(name.escaped))
                continue
            }
            do throws(MetadataFault) {
                volumes[text] = try entry(text, directory.child(text), device, &notes)
            } catch {
                if !error.isMissing { notes.add(error, of: .volume(text)) }
            }
        }
        for (name, record) in records {
            if let driver = record.driver, volumes[name] != nil || driver != "local" {
                volumes[name, default: Entry()].driver = driver
            }
            volumes[name]?.labels = record.labels
        }
        return volumes
    }

    private mutating func entry(
        _ name: String, _ directory: MetadataDirectory, _ device: UInt64?, _ notes: inout ReadingNotes
    ) throws(MetadataFault) -> Entry {
        let known = options(name, directory, &notes)
        var entry = Entry(isLocal: true, mounted: known.mounted, faults: known.faults)
        if let status = directory.status(of: "_data") {
            entry.hasData = status.kind == .directory && status.identity.device == device
            if status.kind != .directory, known.mounted == nil {
                let reason = "it is not a directory: what it leads to is not charged to the volume"
                entry.faults.append(.damaged(directory.path + "/_data", reason))
            }
        }
        return entry
    }

    private mutating func options(
        _ name: String, _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> Known {
        guard let stamp = directory.stamp(of: Self.options) else { return Known() }
        if let known = cache.value(of: name, stamps: [stamp]) { return known }
        var known = Known()
        do throws(MetadataFault) {
            let bytes = try directory.bytes(of: Self.options, limit: Self.optionsLimit, &notes)
            let options = try MetadataJSON.decode(
                Options.self, bytes, path: directory.path + "/" + Self.options)
            if !options.type.isEmpty || !options.device.isEmpty {
                known.mounted = [options.type, options.device].filter { !$0.isEmpty }.joined(separator: " ")
            }
            cache.keep(known, for: name, stamps: [stamp])
        } catch {
            // One that has options is most often mounted from elsewhere: charge nothing that may be another's.
            known.mounted = cache.lastValue(of: name)?.mounted ?? "unknown"
            known.faults.append(error)
            cache.keep(known, for: name, stamps: error.isOfContent ? [stamp] : nil)
        }
        return known
    }

    private mutating func records(
        _ directory: MetadataDirectory, _ notes: inout ReadingNotes
    ) -> [String: Record] {
        let path = directory.path + "/" + Self.database
        guard directory.status(of: Self.database) != nil else { return [:] }
        notes.databases.append(path)
        let (facts, fault) = file.read(Self.database, in: directory, &notes) { Self.parse($0, path) }
        for fault in [fault, facts?.wrong].compactMap(\.self) where !fault.isMissing {
            notes.add(fault.asPending, of: .store)
        }
        return facts?.records ?? [:]
    }

    private static func parse(
        _ snapshot: BoltSnapshot, _ path: String
    ) -> (records: [String: Record], wrong: MetadataFault?) {
        guard let volumes = snapshot.root.bucket(bucket) else { return ([:], nil) }
        var records: [String: Record] = [:]
        var wrong: [String] = []
        for (key, value) in volumes {
            guard case .bytes(let bytes) = value, let name = String(validating: key, as: UTF8.self) else {
                continue
            }
            guard !name.isEmpty, !name.contains("/"), bytes.count <= optionsLimit,
                let record = try? MetadataJSON.decode(Record.self, Array(bytes), path: path)
            else {
                wrong.append(name)
                continue
            }
            records[name] = record
        }
        let fault = wrong.min().map { first in
            let name = ObjectID.quoted(first)
            return MetadataFault.damaged(
                path,
                "what it says of the volume \(name) cannot be used (\(wrong.count) such in all): its labels and driver are not known"
            )
        }
        return (records, fault)
    }
}
