internal import Foundation
internal import Glibc

/// The directories of an overlay, and the mount of it; needs root.
public struct ScratchOverlay: Sendable {
    public let path: String
    public let lower: String
    public var upper: String { path + "/diff" }
    public var work: String { path + "/work" }
    public var merged: String { path + "/merged" }

    /// Makes the directories below `path`, the lower one unless it is given.
    public init(below path: String, lower: String? = nil) throws {
        self.path = path
        self.lower = lower ?? path + "/lower"
        for directory in [self.lower, upper, work, merged] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
    }

    /// The directories, as `mount` takes them.
    public var options: String { "lowerdir=\(lower),upperdir=\(upper),workdir=\(work)" }

    public func mount(options more: String = "") throws {
        guard Glibc.mount("overlay", merged, "overlay", 0, options + more) == 0 else {
            throw WaitFailure(description: "cannot mount \(merged): \(String(cString: strerror(errno)))")
        }
    }

    /// Detaches it, as engines do.
    public func unmount() {
        umount2(merged, Int32(MNT_DETACH))
    }
}
