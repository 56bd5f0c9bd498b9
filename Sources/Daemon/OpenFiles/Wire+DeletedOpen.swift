internal import Accounting
internal import Wire

extension Wire.DeletedOpen {
    init(_ sum: Accounting.DeletedOpen) {
        self.init(
            diskBytes: sum.measure.diskBytes, sizeBytes: sum.measure.sizeBytes, count: sum.measure.inodes,
            uncertainBytes: sum.uncertainBytes,
            files: sum.files.map {
                File(
                    pid: $0.processID, processes: $0.processes, command: $0.command, path: $0.path,
                    diskBytes: $0.diskBytes, sizeBytes: $0.sizeBytes)
            })
    }
}

extension DeletedOpenState {
    /// - Parameters:
    ///   - view: The books.
    ///   - complaint: Why the last look is old.
    init(_ view: UsageBooks.View, complaint: String?) {
        let completeness = view.snapshot.deletedOpen.completeness
        let asOf = view.deletedOpenAsOf.map { WireCoding.timestamp(wallNanoseconds: $0) }
        switch completeness {
        case .unknown(let reason):
            self.init(state: .unknown, reason: complaint ?? reason)
        case .atLeast, .complete:
            let reasons = [complaint, completeness.reason].compactMap(\.self)
            self.init(
                state: reasons.isEmpty ? .complete : .atLeast,
                reason: reasons.isEmpty ? nil : reasons.joined(separator: "; "), asOf: asOf)
        }
    }
}
