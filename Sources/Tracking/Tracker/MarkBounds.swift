/// How many places a batch may have marked one by one; more are the whole layer.
package struct MarkBounds: Sendable {
    /// Names, and directories whose own status changed.
    package var names: Int
    /// Directories to list.
    package var directories: Int

    package init(names: Int = 32_768, directories: Int = 4_096) {
        self.names = names
        self.directories = directories
    }
}
