/// How many places a batch may have marked one by one.
package struct MarkBounds: Sendable {
    /// Names, and directories whose own status changed; more names become whole directories.
    package var names = 32_768
    /// Directories to list; more become the whole layer.
    package var directories = 4_096

    package init() {}
}
