import Accounting

/// What a reading gathers beside the facts themselves.
struct ReadingNotes {
    /// A store gone wrong as a whole need not tell of every object.
    static let maximumProblems = 1000

    var problems: [StoreProblem] = []
    var directories: [String] = []
    var filesRead = 0
    /// Files that an engine writes in place and never closes.
    var databases: [String] = []

    mutating func add(_ fault: MetadataFault, of object: StoreProblem.Object) {
        problems.append(fault.problem(of: object))
    }

    mutating func add(_ faults: [MetadataFault], of object: StoreProblem.Object) {
        for fault in faults { add(fault, of: object) }
    }

    /// Takes what another part of the same reading gathered.
    mutating func add(_ notes: ReadingNotes) {
        problems += notes.problems
        directories += notes.directories
        filesRead += notes.filesRead
        databases += notes.databases
    }

    /// Says of an object which layers of its chain its figures lack, of those that could not be accounted.
    mutating func add(
        _ absent: [String: MetadataFault], of chain: [String], to object: StoreProblem.Object
    ) {
        for layer in chain {
            guard let fault = absent[layer] else { continue }
            add(
                MetadataFault(
                    severity: fault.severity, path: fault.path,
                    reason: "layer \(ObjectID.short(layer)) cannot be accounted: \(fault.reason)"),
                of: object)
        }
    }

    /// The reading that these notes and the facts of the store make; the problems are those of the notes.
    func reading(_ facts: StoreFacts, readAgainAt: Int64? = nil) -> StoreReading {
        // What a reading that was cut short lacks is no damage, and nothing of it is used.
        if var cut = problems.first(where: { $0.severity == .unreadable }) {
            cut.object = .store
            return StoreReading(
                facts: StoreFacts(store: facts.store, problems: [cut]), directories: directories.uniqued(),
                databases: databases, filesRead: filesRead)
        }
        var facts = facts
        // Stable, the worst first: a caller may show only the first.
        facts.problems = problems.filter { $0.severity != .pending }
        facts.problems += problems.filter { $0.severity == .pending }
        if facts.problems.count > Self.maximumProblems {
            let more = facts.problems.count - Self.maximumProblems
            facts.problems.removeLast(more)
            facts.problems.append(
                StoreProblem(
                    severity: .damaged, object: .store, path: facts.store.root,
                    reason: "\(more) more objects are damaged"))
        }
        return StoreReading(
            facts: facts, directories: directories.uniqued(), databases: databases, filesRead: filesRead,
            readAgainAt: readAgainAt)
    }
}

extension [String] {
    /// The members in order, each once.
    func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
