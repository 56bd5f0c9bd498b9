internal import GRDB

/// Why the state could not be kept or read.
///
/// Every failure leaves the daemon able to go on with what it has in memory.
public struct StateError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        /// The directory is missing or is no directory.
        case noDirectory
        /// Files may not be opened or made there.
        case notPermitted
        /// The database was written by a later version of the program.
        case newerSchema
        /// The file system, or the database's own limit, is full.
        case full
        case readOnly
        /// Another process holds the database.
        case busy
        /// The file is no database or its pages are wrong.
        case damaged
        /// One mark is none, or of an earlier version.
        case unknownForm
        /// One value is larger than the database takes.
        case tooLarge
        case inputOutput
        case other
    }

    public let code: Code
    /// What was being done, for example `save layer measures`.
    public let operation: String
    /// The file or directory it was done on.
    public let path: String
    /// SQLite's extended result code, where SQLite was asked.
    public let sqliteCode: Int32?
    /// Why, in SQLite's or the system's words.
    public let reason: String

    init(code: Code, operation: String, path: String, sqliteCode: Int32? = nil, reason: String) {
        self.code = code
        self.operation = operation
        self.path = path
        self.sqliteCode = sqliteCode
        self.reason = reason
    }

    init(closed operation: String, path: String) {
        self.init(code: .other, operation: operation, path: path, reason: "the database is closed")
    }

    /// While a database is opened, a statement that it does not take means that its schema is not what its
    /// version says.
    init(opening error: any Error, operation: String, path: String) {
        let error = StateError(error, operation: operation, path: path)
        // SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH.
        let isSchema = error.sqliteCode.map { [1, 17, 18, 19, 20].contains($0 & 0xFF) } ?? false
        self.init(
            code: isSchema ? .damaged : error.code, operation: operation, path: path,
            sqliteCode: error.sqliteCode, reason: error.reason)
    }

    init(_ error: any Error, operation: String, path: String) {
        guard let error = error as? DatabaseError else {
            self =
                error as? StateError
                ?? StateError(code: .other, operation: operation, path: path, reason: "\(error)")
            return
        }
        self.init(
            code: Code(error), operation: operation, path: path,
            sqliteCode: error.extendedResultCode.rawValue,
            reason: error.message ?? error.extendedResultCode.description)
    }
}

extension StateError: CustomStringConvertible {
    public var description: String {
        let number = sqliteCode.map { " (SQLite \($0))" } ?? ""
        return "cannot \(operation) in \(path): \(reason)\(number); \(advice)"
    }

    /// What an operator can do about it.
    public var advice: String {
        switch code {
        case .noDirectory:
            "make the directory, owned by the daemon's user, or name another with --state"
        case .notPermitted:
            "let the daemon's user write to the directory and its files"
        case .newerSchema:
            "run the newer version again, or move the file away to start anew; nothing is written to it"
        case .full:
            "free space on its file system; figures are kept in memory and saved when there is room"
        case .readOnly:
            "make the file and its file system writable; figures are kept in memory alone"
        case .busy:
            "stop the other process that has the file open"
        case .damaged:
            "restart the daemon: it moves the file aside and starts a new one"
        case .unknownForm:
            "set the mark again"
        case .tooLarge:
            "the value is not kept over a restart"
        case .inputOutput:
            "look for disk errors in the kernel's log; figures are kept in memory alone"
        case .other:
            "figures are kept in memory alone"
        }
    }
}

extension StateError.Code {
    init(_ error: DatabaseError) {
        if error.extendedResultCode == .SQLITE_IOERR_SHMSIZE {
            self = .full
            return
        }
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .full
            case .SQLITE_READONLY: .readOnly
            case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged
            case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .notPermitted
            case .SQLITE_TOOBIG: .tooLarge
            case .SQLITE_IOERR: .inputOutput
            default: .other
            }
    }
}
