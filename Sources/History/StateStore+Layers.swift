public import Accounting
internal import GRDB

extension StateStore {
    /// All measures that are kept of a store's layers, by layer id.
    ///
    /// Rows that make no sense are left out; their layers are measured again.
    public func layerMeasures(of store: StoreIdentity) throws(StateError) -> [String: CachedMeasure] {
        try read("read layer measures") { db in
            var measures: [String: CachedMeasure] = [:]
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT layer.id, device, inode, changed, directory, disk_bytes, size_bytes, inodes,
                        linked_outside
                    FROM layer JOIN store ON store.id = layer.store
                    WHERE engine = ? AND driver = ? AND root = ?
                    """, arguments: [store.engine, store.driver, store.root])
            while let row = try rows.next() {
                guard let id = String.fromDatabaseValue(row[0]), let measure = CachedMeasure(row) else {
                    continue
                }
                measures[id] = measure
            }
            return measures
        }
    }

    /// Keeps measures, in place of what was kept for the same layers.
    ///
    /// A layer that shares hundreds of thousands of inodes is not kept, so that the database stays small.
    public func save(_ measures: [(id: String, CachedMeasure)], of store: StoreIdentity) throws(StateError) {
        guard !measures.isEmpty else { return }
        try write("save layer measures") { db in
            try db.execute(
                sql: "INSERT INTO store (engine, driver, root) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                arguments: [store.engine, store.driver, store.root])
            let number = try Int64.fetchOne(
                db, sql: "SELECT id FROM store WHERE engine = ? AND driver = ? AND root = ?",
                arguments: [store.engine, store.driver, store.root])
            let insert = try db.makeStatement(
                sql: """
                    INSERT OR REPLACE INTO layer (store, id, device, inode, changed, directory, disk_bytes,
                        size_bytes, inodes, linked_outside)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            let delete = try db.makeStatement(sql: "DELETE FROM layer WHERE store = ? AND id = ?")
            for (id, cached) in measures where !id.utf8.contains(0) {
                guard let linked = cached.linkedBlob else {
                    try delete.execute(arguments: [number, id])
                    continue
                }
                let total = cached.measure.total
                try insert.execute(arguments: [
                    number, id, Int64(bitPattern: cached.root.device), Int64(bitPattern: cached.root.inode),
                    cached.root.changed, cached.directory, total.diskBytes, total.sizeBytes, total.inodes,
                    linked,
                ])
            }
        }
    }

    /// Forgets layers that are gone.
    public func removeLayers(_ ids: [String], of store: StoreIdentity) throws(StateError) {
        guard !ids.isEmpty else { return }
        try write("remove layer measures") { db in
            guard
                let number = try Int64.fetchOne(
                    db, sql: "SELECT id FROM store WHERE engine = ? AND driver = ? AND root = ?",
                    arguments: [store.engine, store.driver, store.root])
            else { return }
            let delete = try db.makeStatement(sql: "DELETE FROM layer WHERE store = ? AND id = ?")
            for id in ids { try delete.execute(arguments: [number, id]) }
            try db.execute(sql: "PRAGMA incremental_vacuum")
        }
    }

    /// Forgets the layers of all stores but these, and gives the room back to the file system.
    public func prune(keeping stores: [StoreIdentity]) throws(StateError) {
        try write("remove stores that are gone") { db in
            let rows = try Row.fetchAll(db, sql: "SELECT id, engine, driver, root FROM store")
            for row in rows {
                if let engine = String.fromDatabaseValue(row[1]),
                    let driver = String.fromDatabaseValue(row[2]),
                    let root = String.fromDatabaseValue(row[3]),
                    stores.contains(StoreIdentity(engine: engine, driver: driver, root: root))
                {
                    continue
                }
                try db.execute(sql: "DELETE FROM store WHERE id = ?", arguments: [row[0] as DatabaseValue])
            }
            try db.execute(sql: "PRAGMA incremental_vacuum")
        }
    }
}

extension CachedMeasure {
    /// The inodes shared with others: NULL for none; `nil` where they, or the path, cannot be kept.
    fileprivate var linkedBlob: DatabaseValue? {
        guard !directory.utf8.contains(0) else { return nil }
        guard !measure.linkedOutside.isEmpty else { return .null }
        let bytes = BlobCoding.encode(measure.linkedOutside)
        return bytes.count <= StateLimit.linkedOutsideBytes ? bytes.databaseBlob : nil
    }

    /// From a row of the columns that ``StateStore/layerMeasures(of:)`` asks for.
    fileprivate init?(_ row: Row) {
        guard let device = Int64.fromDatabaseValue(row[1]), let inode = Int64.fromDatabaseValue(row[2]),
            let changed = Int64.fromDatabaseValue(row[3]), let directory = String.fromDatabaseValue(row[4]),
            let disk = Int64.fromDatabaseValue(row[5]), disk >= 0,
            let size = Int64.fromDatabaseValue(row[6]), size >= 0,
            let inodes = Int64.fromDatabaseValue(row[7]), inodes >= 0
        else { return nil }
        var measure = LayerMeasure(total: Measure(diskBytes: disk, sizeBytes: size, inodes: inodes))
        let blob: DatabaseValue = row[8]
        if !blob.isNull {
            guard let bytes = blob.blobBytes, let linked = BlobCoding.decodeLinked(bytes) else { return nil }
            measure.linkedOutside = linked
        }
        self.init(
            root: RootIdentity(
                device: UInt64(bitPattern: device), inode: UInt64(bitPattern: inode), changed: changed),
            directory: directory, measure: measure)
    }
}
