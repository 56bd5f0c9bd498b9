/// A directory of a store that is no layer and whose bytes have a class of their own; it is followed by its events.
public struct TreeFact: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case log, volume
        /// A download that no object names yet.
        case inFlight = "in-flight"
    }

    /// Unique among the store's trees and layers, for example `volume:NAME` or `log:CONTAINER`.
    public var id: String
    public var kind: Kind
    /// Its absolute path; it may lie outside the store's root.
    public var directory: String
    /// Which entries of the directory count, with all below them; then the directory itself does not.
    ///
    /// Empty: all of them, and the directory itself.
    public var entries: [NamePattern]

    public init(id: String, kind: Kind, directory: String, entries: [NamePattern] = []) {
        self.id = id
        self.kind = kind
        self.directory = directory
        self.entries = entries
    }
}
