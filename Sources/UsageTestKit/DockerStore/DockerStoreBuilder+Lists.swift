public import Kernel

extension DockerStoreBuilder {
    /// A file that names all objects of a kind, and that each new one has written anew as a whole.
    enum ListFile: Hashable, Sendable {
        case repositories, volumes
    }

    /// Makes many objects, and writes the files that name them all once at the end.
    ///
    /// An engine writes such a file for each object, which takes a time that grows with the square of their number. So
    /// this is for a store that nobody reads meanwhile.
    public mutating func together(
        _ body: (inout DockerStoreBuilder) throws(KernelError) -> Void
    ) throws(KernelError) {
        guard dueLists == nil else { return try body(&self) }
        dueLists = []
        do {
            try body(&self)
        } catch {
            try writeDueLists()
            throw error
        }
        try writeDueLists()
    }

    private mutating func writeDueLists() throws(KernelError) {
        let due = dueLists ?? []
        dueLists = nil
        if due.contains(.repositories) { try writeRepositories() }
        if due.contains(.volumes) { try writeVolumes() }
    }
}
