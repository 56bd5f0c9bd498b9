public import Accounting
internal import GRDB

extension StateStore {
    /// Keeps a mark, in place of an earlier one of the name.
    ///
    /// Past 256 marks, or 48 MiB of them, the ones saved longest ago are dropped. The caller checks the name.
    public func save(_ mark: Mark, named name: String) throws(StateError) {
        let bytes = BlobCoding.encode(mark)
        guard bytes.count <= StateLimit.markBytes else {
            throw StateError(
                code: .tooLarge, operation: "save the mark \(name)", path: path,
                reason: "it takes \(bytes.count) bytes, at most \(StateLimit.markBytes) are kept")
        }
        try write("save the mark \(name)") { db in
            // A new row number each time, so that the numbers sort by when a mark was saved.
            try db.execute(
                sql: "INSERT OR REPLACE INTO mark (name, wall, data) VALUES (?, ?, ?)",
                arguments: [name, mark.wall, bytes.databaseBlob])
            var room = StateLimit.allMarkBytes
            var count = 0
            for row in try Row.fetchAll(db, sql: "SELECT id, length(data) FROM mark ORDER BY id DESC") {
                count += 1
                room -= Int.fromDatabaseValue(row[1]) ?? 0
                guard room < 0 || count > StateLimit.marks else { continue }
                try db.execute(sql: "DELETE FROM mark WHERE id = ?", arguments: [row[0] as DatabaseValue])
            }
        }
    }

    /// The mark of the name, if it is kept.
    public func mark(named name: String) throws(StateError) -> Mark? {
        let blob = try read("read the mark \(name)") { db in
            try DatabaseValue.fetchOne(db, sql: "SELECT data FROM mark WHERE name = ?", arguments: [name])
        }
        guard let blob else { return nil }
        guard let mark = blob.blobBytes.flatMap(BlobCoding.decodeMark) else {
            throw StateError(
                code: .unknownForm, operation: "read the mark \(name)", path: path,
                reason: "its bytes are not a mark of this version")
        }
        return mark
    }

    /// The names of all marks and when they were set (nanoseconds since the epoch), the earliest first.
    public func markNames() throws(StateError) -> [(name: String, wall: Int64)] {
        try read("list marks") { db in
            try Row.fetchAll(db, sql: "SELECT name, wall FROM mark ORDER BY wall, name").compactMap {
                guard let name = String.fromDatabaseValue($0[0]), let wall = Int64.fromDatabaseValue($0[1])
                else { return nil }
                return (name, wall)
            }
        }
    }
}
