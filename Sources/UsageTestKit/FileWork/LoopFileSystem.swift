internal import Foundation
internal import Glibc

/// A real file system of its own in a sparse image, mounted on a scratch directory.
package struct LoopFileSystem: Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case ext4, xfs, btrfs

        fileprivate var make: [String] {
            switch self {
            case .ext4: ["mkfs.ext4", "-q", "-F"]
            case .xfs: ["mkfs.xfs", "-q", "-f"]
            case .btrfs: ["mkfs.btrfs", "-q", "-f"]
            }
        }

        /// Why none can be made here; `nil` where one can.
        package var obstacle: String? {
            if geteuid() != 0 { return "mounting needs root" }
            if access("/dev/loop-control", R_OK | W_OK) != 0 { return "there are no loop devices" }
            let isInstalled = ["/usr/sbin", "/sbin", "/usr/bin"].contains {
                access("\($0)/mkfs.\(rawValue)", X_OK) == 0
            }
            return isInstalled ? nil : "mkfs.\(rawValue) is not installed"
        }
    }

    package let kind: Kind
    /// Whether its blocks are read from the disk each time they are not in its own cache, past that of the image.
    private let isDirect: Bool
    private let scratch: ScratchDirectory
    package var path: String { scratch("mounted") }

    /// Makes and mounts one; 512 MiB are the least that all kinds take.
    package static func make(
        _ kind: Kind, mebibytes: Int = 512, isDirect: Bool = false
    ) async throws -> LoopFileSystem {
        let made = LoopFileSystem(
            kind: kind, isDirect: isDirect, scratch: try ScratchDirectory(kind.rawValue))
        do {
            let image = made.scratch("image")
            try await Command.output(["truncate", "--size", "\(mebibytes)M", image])
            try await Command.output(kind.make + [image])
            try made.scratch.directory("mounted")
            try await made.mount()
        } catch {
            try? await made.remove()
            throw error
        }
        return made
    }

    /// Makes one for a body, and removes it after that.
    package static func with(
        _ kind: Kind, mebibytes: Int = 512, isDirect: Bool = false,
        _ body: (LoopFileSystem) async throws -> Void
    ) async throws {
        let made = try await make(kind, mebibytes: mebibytes, isDirect: isDirect)
        do {
            try await body(made)
        } catch {
            try? await made.remove()
            throw error
        }
        try await made.remove()
    }

    package func mount() async throws {
        let image = scratch("image")
        try await Command.output(["mount", "-o", "loop", image, path])
        guard isDirect else { return }
        let device = try await Command.output(
            ["losetup", "--associated", image, "--noheadings", "--output", "NAME"])
        try await Command.output(["losetup", "--direct-io=on", device.filter { !$0.isWhitespace }])
    }

    package func unmount() async throws {
        // Whoever looks at it just now has a directory open.
        try await wait(until: "\(path) to be unmounted") {
            try await Command.output(["umount", path])
            return true
        }
    }

    /// Has everything written back, so that every block is allocated.
    package func sync() throws {
        try FileCalls.writeBack(path)
    }

    package func remove() async throws {
        try await scratch.remove()
    }
}
