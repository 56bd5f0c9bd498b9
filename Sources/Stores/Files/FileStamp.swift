import Kernel

/// Tells whether a file is still the one that was parsed: equal stamps mean equal content.
struct FileStamp: Hashable, Sendable {
    let identity: FileStatus.Identity
    let size: Int64
    let modified: Int64
    let changed: Int64

    init(_ status: FileStatus) {
        identity = status.identity
        size = status.size
        modified = status.modified
        changed = status.changed
    }
}

/// What was parsed from files, kept for as long as the files stay the same.
///
/// A pass over all objects starts with ``startPass()``; what the pass does not ask for is forgotten by the next.
struct StampedCache<Value: Sendable>: Sendable {
    private struct Entry {
        /// One for each file, `nil` for one that was missing; no stamps where the value must be read again.
        var stamps: [FileStamp?]?
        var value: Value
    }

    private var previous: [String: Entry] = [:]
    private var current: [String: Entry] = [:]

    mutating func startPass() {
        previous = current
        current = [:]
        current.reserveCapacity(previous.count)
    }

    /// The value if it was parsed from files with these stamps.
    mutating func value(of id: String, stamps: [FileStamp?]) -> Value? {
        guard let entry = previous[id], entry.stamps == stamps else { return nil }
        current[id] = entry
        return entry.value
    }

    /// What the object was at its last reading, whatever its files are now.
    func lastValue(of id: String) -> Value? {
        previous[id]?.value
    }

    /// Keeps a value; without stamps it only serves ``lastValue(of:)``.
    mutating func keep(_ value: Value, for id: String, stamps: [FileStamp?]?) {
        current[id] = Entry(stamps: stamps, value: value)
    }
}
