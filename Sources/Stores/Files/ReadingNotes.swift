import Accounting

/// What a reading gathers beside the facts themselves.
struct ReadingNotes {
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
}
