import Accounting

/// Content that is not what its file is for.
struct BadText: Error {
    /// What it is not, for example `not a number of bytes`.
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// Reads files of one value each.
struct MetadataField {
    let directory: MetadataDirectory

    /// Parses file `name`, or notes a fault and returns what the value was before.
    func read<Value>(
        _ name: String, _ last: Value?, _ faults: inout [MetadataFault], _ notes: inout ReadingNotes,
        _ parse: (String) throws(BadText) -> Value
    ) -> Value? {
        let text: String
        do throws(MetadataFault) {
            text = try directory.line(of: name, &notes)
        } catch {
            faults.append(error)
            return last
        }
        do throws(BadText) {
            return try parse(text)
        } catch {
            faults.append(
                .damaged(
                    directory.path + "/" + name, "it holds \(ObjectID.quoted(text)), \(error.reason)"))
            return last
        }
    }
}
