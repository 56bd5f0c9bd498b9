/// What was taken from a bbolt database, kept until another transaction ends.
struct BoltFacts<Facts: Sendable>: Sendable {
    private var version: BoltFile.Version?
    private var facts: Facts?
    private var fault: MetadataFault?

    /// Reads the database `name` where it changed, and takes what `extract` finds in it.
    ///
    /// With a fault the facts are those of the last reading that had none; `nil` if there never was one.
    mutating func read(
        _ name: String, in directory: MetadataDirectory, _ notes: inout ReadingNotes,
        _ extract: (BoltSnapshot) -> Facts
    ) -> (facts: Facts?, fault: MetadataFault?) {
        do throws(MetadataFault) {
            switch try BoltFile.read(name, in: directory, known: version, &notes) {
            case .unchanged: break
            case .changed(let version, let snapshot):
                self.version = version
                facts = extract(snapshot)
                fault = nil
            case .refused(let version, let fault):
                self.version = version
                self.fault = fault
            }
            return (facts, fault)
        } catch {
            return (facts, error)
        }
    }
}
