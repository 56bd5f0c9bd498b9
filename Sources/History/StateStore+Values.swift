internal import GRDB

extension StateStore {
    /// Keeps bytes under a key, or forgets the key for `nil`.
    ///
    /// At most 1024 keys are kept, of 4 MiB each.
    public func setValue(_ data: [UInt8]?, for key: String) throws(StateError) {
        let operation = "save the value \(key)"
        guard let data else {
            return try write(operation) { db in
                try db.execute(sql: "DELETE FROM value WHERE key = ?", arguments: [key])
            }
        }
        guard data.count <= StateLimit.valueBytes else {
            throw StateError(
                code: .tooLarge, operation: operation, path: path,
                reason: "it takes \(data.count) bytes, at most \(StateLimit.valueBytes) are kept")
        }
        try write(operation) { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO value (key, data) VALUES (?, ?)",
                arguments: [key, data.databaseBlob])
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM value") ?? 0
            guard count <= StateLimit.values else {
                throw StateError(
                    code: .tooLarge, operation: operation, path: path,
                    reason: "\(StateLimit.values) values are kept already")
            }
        }
    }

    /// The bytes kept under a key.
    public func value(for key: String) throws(StateError) -> [UInt8]? {
        try read("read the value \(key)") { db in
            try DatabaseValue.fetchOne(db, sql: "SELECT data FROM value WHERE key = ?", arguments: [key])
        }?.blobBytes
    }
}
