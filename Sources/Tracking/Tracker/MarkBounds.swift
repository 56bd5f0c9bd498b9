/// How many places a batch may have marked one by one.
package struct MarkBounds: Sendable {
    /// Names, and directories whose own status changed; more names become whole directories.
    package var names: Int
    /// Directories to list; more become the whole layer.
    package var directories: Int

    package init(names: Int = 32_768, directories: Int = 4_096) {
        self.names = names
        self.directories = directories
    }
}
