import Accounting
import Kernel

/// One of the store's lists: a file that holds a JSON array of records, replaced as a whole when one changes.
struct RecordList<Record: StorageRecord>: Sendable {
    /// Bytes of a list; a record takes some hundreds.
    static var limit: Int { 32 << 20 }
    /// Values in a list, for each costs memory, however short it is.
    static var valueLimit: Int { 4_000_000 }

    /// The members, as far as a list of the most objects goes and by one more.
    private struct Members: Decodable {
        var members: [Record?] = []

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            while !values.isAtEnd, members.count <= MetadataDirectory.maximumObjects {
                members.append(try values.decode(Lossy<Record>.self).value)
            }
        }
    }

    private var stamp: FileStamp?
    /// Kept while the file cannot be used.
    private var records: [String: Record] = [:]
    private var faults: [MetadataFault] = []
    /// Whether the records are all that the file holds.
    private(set) var isComplete = true

    /// The records by id.
    ///
    /// An engine takes a file that does not exist for an empty list.
    mutating func read(
        _ directory: MetadataDirectory?, _ name: String, _ notes: inout ReadingNotes
    ) -> [String: Record] {
        guard let directory, let now = directory.stamp(of: name) else {
            self = RecordList()
            return [:]
        }
        if now != stamp {
            faults = []
            do throws(MetadataFault) {
                try parse(directory, name, &notes)
                stamp = now
            } catch {
                // Replaced or removed meanwhile: the directory's change has it read again.
                faults.append(error)
                stamp = error.isOfContent ? now : nil
            }
            isComplete = faults.isEmpty
        }
        notes.add(faults, of: .store)
        return records
    }

    private mutating func parse(
        _ directory: MetadataDirectory, _ name: String, _ notes: inout ReadingNotes
    ) throws(MetadataFault) {
        let path = directory.path + "/" + name
        let bytes = try directory.bytes(of: name, limit: Self.limit, &notes)
        guard bytes.count(where: { $0 == UInt8(ascii: ",") }) <= Self.valueLimit else {
            throw .damaged(path, "it holds more than \(Self.valueLimit) values, which no engine writes")
        }
        // An engine writes an empty list as `null`.
        let list = try MetadataJSON.decode(Members?.self, bytes, path: path, opening: "[")?.members ?? []
        guard list.count <= MetadataDirectory.maximumObjects else {
            throw .damaged(path, "it names more than \(MetadataDirectory.maximumObjects) objects")
        }
        var records: [String: Record] = [:]
        records.reserveCapacity(list.count)
        var wrong = 0
        var twice: [String] = []
        for record in list {
            guard let record, ObjectID.isDirectoryID(record.id) else {
                wrong += 1
                continue
            }
            if records.updateValue(record, forKey: record.id) != nil { twice.append(record.id) }
        }
        self.records = records
        if wrong > 0 { faults.append(.damaged(path, "\(wrong) of its members are no \(Record.kind)")) }
        if let first = twice.min() {
            let more = twice.count > 1 ? " (\(twice.count) such in all)" : ""
            faults.append(
                .damaged(path, "the \(Record.kind) \(ObjectID.quoted(first)) stands there twice\(more)"))
        }
    }
}
