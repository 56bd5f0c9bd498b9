internal import Foundation

/// Overlayfs over a lower directory full of the names that ``RandomSystemCalls`` uses.
package struct OverlayMount: Sendable {
    private let directory: String
    package var upper: String { directory + "/upper" }
    package var merged: String { directory + "/merged" }
    package var lower: String { directory + "/lower" }
    package var work: String { directory + "/work" }

    /// Mounts one below `directory`, which must be empty, with Docker's options or others.
    package static func make(
        in directory: String, options: String = "redirect_dir=off,index=off,metacopy=off"
    ) async throws -> OverlayMount {
        let mount = OverlayMount(directory: directory)
        for path in [mount.lower, mount.upper, mount.work, mount.merged] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        // Directories, files, a link and hard links by the same names, so that work copies up, hides and makes anew.
        try await Command.output(
            [
                "sh", "-c",
                """
                cd "$1" && for d in a b c; do mkdir -p $d/a/b $d/d; \
                head -c 70000 /dev/zero > $d/e; head -c 3000 /dev/zero > $d/a/f; ln $d/e $d/d/e; ln -s e $d/f; \
                echo deep > $d/a/b/c; done; head -c 200000 /dev/urandom > d; ln d e; echo short > f
                """, "sh", mount.lower,
            ])
        try await Command.output([
            "mount", "-t", "overlay", "overlay", "-o",
            "lowerdir=\(mount.lower),upperdir=\(mount.upper),workdir=\(mount.work),\(options)", mount.merged,
        ])
        return mount
    }

    package func unmount() async throws {
        try await Command.output(["umount", merged])
    }
}
