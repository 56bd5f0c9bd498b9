public import Accounting

/// Reads one store's metadata into neutral facts.
public protocol StoreReader: AnyObject, Sendable {
    var identity: StoreIdentity { get }

    /// Reads the metadata as it is now.
    ///
    /// It blocks on the file system and must be called from one thread at a time. Bad metadata is no failure:
    /// what cannot be read is named in the facts' problems, and everything else is there.
    func read() -> StoreReading
}

/// What one reading of a store gave.
public struct StoreReading: Sendable {
    public var facts: StoreFacts
    /// Directories whose entries tell of changes (create, delete, move, close after write).
    ///
    /// Every one existed when it was read.
    public var directories: [String]
    /// Files that this reading opened and parsed; those known from an earlier one are not among them.
    public var filesRead: Int
    /// Files that an engine writes in place and never closes: a write to one is a change as well.
    public var databases: [String]
    /// When to read again though nothing changes, nanoseconds since the epoch: a time of grace ends then.
    public var readAgainAt: Int64?

    public init(
        facts: StoreFacts, directories: [String] = [], databases: [String] = [], filesRead: Int = 0,
        readAgainAt: Int64? = nil
    ) {
        self.facts = facts
        self.directories = directories
        self.databases = databases
        self.filesRead = filesRead
        self.readAgainAt = readAgainAt
    }
}

extension StoreReading {
    /// What a reading says of a store that cannot be read as a whole.
    init(
        unreadable path: String, _ reason: String, of store: StoreIdentity, watching: [String],
        databases: [String] = []
    ) {
        let problem = StoreProblem(severity: .unreadable, object: .store, path: path, reason: reason)
        self.init(
            facts: StoreFacts(store: store, problems: [problem]), directories: watching.uniqued(),
            databases: databases)
    }
}
