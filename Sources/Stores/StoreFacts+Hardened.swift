public import Accounting

extension StoreFacts {
    /// The same facts with every pending problem called damaged.
    ///
    /// For a caller that has read again for as long as an engine may take to finish a file.
    public func hardened() -> StoreFacts {
        var facts = self
        for index in facts.problems.indices where facts.problems[index].severity == .pending {
            facts.problems[index].severity = .damaged
        }
        return facts
    }
}
