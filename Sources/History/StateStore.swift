internal import GRDB
internal import Synchronization

/// What the daemon remembers over a restart: measures of layers that do not change, marks and small values.
///
/// It is one SQLite database. Every call blocks, for as long as the disk takes and up to two seconds while
/// another process holds the database; call it on a thread that may wait. Each change is one transaction.
/// A failure is thrown and changes nothing; the store can be used on.
public final class StateStore: Sendable {
    /// `nil` once closed: a closed queue of GRDB may not be asked anything.
    private let queue: Mutex<DatabaseQueue?>
    let path: String
    /// The file that is open; `nil` for a store in memory.
    private let file: StateFile.Identity?

    private init(queue: DatabaseQueue, path: String, file: StateFile.Identity?) {
        self.queue = Mutex(queue)
        self.path = path
        self.file = file
    }

    /// Whether the database's path still leads to the file that is open.
    ///
    /// Where it was removed or replaced, SQLite goes on to write what no later run will find.
    public var isInPlace: Bool {
        file == nil || StateFile.identity(path) == file
    }

    /// Opens the database `state.db` of a directory, or makes it, readable by the owner and group alone.
    ///
    /// A file that is damaged, or another program's, is renamed to `state.db.damaged-<time>` and a new one
    /// made; `notice` then says so in one line. The newest three of those are kept. A database of a later
    /// schema is left as it is.
    public static func open(directory: String) throws(StateError) -> (store: StateStore, notice: String?) {
        try StateFile.requireDirectory(directory)
        let path = directory + "/state.db"
        let reason: String
        if StateFile.isForeignObject(path) {
            reason = "not a regular file"
        } else {
            let isNew = StateFile.isEmptyOrMissing(path)
            do {
                return (try connect(path), nil)
            } catch {
                guard error.code == .damaged, !isNew else { throw error }
                reason = error.reason
            }
        }
        let aside = try StateFile.moveAside(path)
        let notice = """
            \(path) was damaged (\(reason)) and moved to \(aside); marks and alert state start anew, \
            every layer is measured again
            """
        return (try connect(path), notice)
    }

    /// A store that forgets everything at the end, for when the directory cannot be used.
    public static func inMemory() throws(StateError) -> StateStore {
        let path = ":memory:"
        do {
            let queue = try DatabaseQueue(named: nil, configuration: configuration(path: path))
            try StateSchema.migrator.migrate(queue)
            return StateStore(queue: queue, path: path, file: nil)
        } catch {
            throw StateError(error, operation: "keep state", path: path)
        }
    }

    /// Ends the use of the database and writes its log back.
    ///
    /// Calls after it throw.
    public func close() throws(StateError) {
        try perform("close the state database") { queue in
            try queue?.close()
            queue = nil
        }
    }

    func write<Value: Sendable>(
        _ operation: String, _ change: (Database) throws -> Value
    ) throws(StateError) -> Value {
        try perform(operation) { queue in
            guard let queue else { throw StateError(closed: operation, path: path) }
            return try queue.write(change)
        }
    }

    func read<Value: Sendable>(
        _ operation: String, _ query: (Database) throws -> Value
    ) throws(StateError) -> Value {
        try perform(operation) { queue in
            guard let queue else { throw StateError(closed: operation, path: path) }
            return try queue.read(query)
        }
    }

    private func perform<Value: Sendable>(
        _ operation: String, _ body: (inout DatabaseQueue?) throws -> Value
    ) throws(StateError) -> Value {
        do {
            return try queue.withLock { try body(&$0) }
        } catch {
            throw StateError(error, operation: operation, path: path)
        }
    }
}

extension StateStore {
    private static func connect(_ path: String) throws(StateError) -> StateStore {
        try StateFile.makeIfMissing(path)
        let file = StateFile.identity(path)
        do {
            var configuration = configuration(path: path)
            configuration.journalMode = .wal
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            do {
                try StateSchema.migrator.migrate(queue)
                try queue.read { db in try checkTables(db) }
                // Tells now, and not at the first save, that nothing can be written.
                try queue.inTransaction(.immediate) { _ in .rollback }
            } catch {
                try? queue.close()
                throw error
            }
            return StateStore(queue: queue, path: path, file: file)
        } catch {
            throw StateError(opening: error, operation: opening, path: path)
        }
    }

    private static func configuration(path: String) -> Configuration {
        var configuration = Configuration()
        configuration.label = "state"
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
            // All of these checks come before anything is written to a file that may not be ours.
            try checkOrigin(db, path: path)
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try db.execute(sql: "PRAGMA journal_size_limit = \(1 << 20)")
            let pageSize = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
            _ = try Int.fetchOne(
                db, sql: "PRAGMA max_page_count = \(StateLimit.databaseBytes / max(pageSize, 512))")
        }
        return configuration
    }

    /// Throws ``StateError/Code/damaged`` for a file that is not ours or not whole.
    private static func checkOrigin(_ db: Database, path: String) throws {
        func damaged(_ reason: String) -> StateError {
            StateError(code: .damaged, operation: opening, path: path, reason: reason)
        }
        let objects = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard objects > 0 else { return }
        let application = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        guard application == Int64(StateSchema.applicationID) else {
            throw damaged("a database of another program, application id \(application)")
        }
        let verdict = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
        guard verdict == "ok" else { throw damaged(verdict) }

        // Not through the migrator, which trusts that these are texts.
        let versions = try DatabaseValue.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations").map {
            String.fromDatabaseValue($0) ?? ""
        }
        let known = StateSchema.migrator.migrations
        for version in versions where !known.contains(version) {
            guard version.first == "v", Int(version.dropFirst()) != nil else {
                throw damaged("an unknown schema version")
            }
            throw StateError(
                code: .newerSchema, operation: opening, path: path,
                reason: "its schema is \(version), this version knows up to \(known.last ?? "none")")
        }
        guard !versions.isEmpty else { throw damaged("it has no schema version") }
    }

    private static func checkTables(_ db: Database) throws {
        for (table, columns) in StateSchema.columns {
            _ = try db.makeStatement(sql: "SELECT \(columns) FROM \(table)")
        }
    }

    private static let opening = "open the state database"
}
