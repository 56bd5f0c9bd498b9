/// The mounts of this process's namespace, read again only where they changed; used by one thread.
public final class CurrentMounts {
    private let watch = MountWatch()
    private var known: MountTable?
    /// How often the table was read; what was found out by it holds as long as this is the same.
    public private(set) var readings = 0

    public init() {}

    /// The table as it is now.
    public func table() throws(BoundedFile.Failure) -> MountTable {
        // Asked before it is read: a change meanwhile is found the next time.
        let hasChanged = watch.descriptor == nil || watch.hasChanged()
        if let known, !hasChanged { return known }
        known = nil
        let table = try MountTable.current()
        known = table
        readings += 1
        return table
    }
}
