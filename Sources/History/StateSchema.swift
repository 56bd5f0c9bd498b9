internal import GRDB

/// The tables of the state database and how each version is made from the one before.
///
/// Device and inode numbers are unsigned; their bits are kept in SQLite's signed integers.
enum StateSchema {
    /// `PRAGMA application_id`: the letters `usgd`, which tell a file of this program from any other.
    static let applicationID: Int32 = 0x7573_6764

    /// The columns that statements of this program use.
    static let columns = [
        "store": "id, engine, driver, root",
        "layer": """
        store, id, device, inode, changed, directory, disk_bytes, size_bytes, inodes, linked_outside
        """,
        "mark": "id, name, wall, data",
        "value": "key, data",
    ]

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(
                sql: """
                    CREATE TABLE store (
                        id INTEGER PRIMARY KEY,
                        engine TEXT NOT NULL, driver TEXT NOT NULL, root TEXT NOT NULL,
                        UNIQUE (engine, driver, root)
                    ) STRICT;
                    CREATE TABLE layer (
                        store INTEGER NOT NULL REFERENCES store (id) ON DELETE CASCADE,
                        id TEXT NOT NULL,
                        device INTEGER NOT NULL, inode INTEGER NOT NULL, changed INTEGER NOT NULL,
                        directory TEXT NOT NULL,
                        disk_bytes INTEGER NOT NULL, size_bytes INTEGER NOT NULL, inodes INTEGER NOT NULL,
                        linked_outside BLOB,
                        PRIMARY KEY (store, id)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE mark (
                        id INTEGER PRIMARY KEY,
                        name TEXT NOT NULL UNIQUE, wall INTEGER NOT NULL, data BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE value (
                        key TEXT PRIMARY KEY, data BLOB NOT NULL
                    ) STRICT;
                    """)
        }
        return migrator
    }
}

/// How large the database may become; a daemon that watches a disk must not fill it.
enum StateLimit {
    static let databaseBytes = 128 << 20
    static let marks = 256
    static let allMarkBytes = 48 << 20
    static let markBytes = 16 << 20
    static let linkedOutsideBytes = 4 << 20
    static let values = 1024
    static let valueBytes = 4 << 20
    static let damagedFiles = 3
}
