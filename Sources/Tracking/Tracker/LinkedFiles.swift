/// Files of one device that have names in more than one place.
package struct LinkedFiles: Hashable, Sendable {
    package var device: UInt64
    package var inodes: Set<UInt64>
}
