/// A mounted overlay over a lower directory full of the names that ``RandomSystemCalls`` uses.
package struct FilledOverlay: Sendable {
    private let overlay: ScratchOverlay
    package var upper: String { overlay.upper }
    package var merged: String { overlay.merged }
    package var lower: String { overlay.lower }
    package var work: String { overlay.work }

    /// Mounts one below `directory`, which must be empty, with Docker's options or others.
    package static func make(
        in directory: String, options: String = "redirect_dir=off,index=off,metacopy=off"
    ) async throws -> FilledOverlay {
        let overlay = try ScratchOverlay(below: directory)
        // Directories, files, a link and hard links by the same names, so that work copies up, hides and makes anew.
        try await Command.output(
            [
                "sh", "-c",
                """
                cd "$1" && for d in a b c; do mkdir -p $d/a/b $d/d; \
                head -c 70000 /dev/zero > $d/e; head -c 3000 /dev/zero > $d/a/f; ln $d/e $d/d/e; ln -s e $d/f; \
                echo deep > $d/a/b/c; done; head -c 200000 /dev/urandom > d; ln d e; echo short > f
                """, "sh", overlay.lower,
            ])
        try overlay.mount(options: "," + options)
        return FilledOverlay(overlay: overlay)
    }

    package func unmount() async throws {
        // A process that is just being started has what its parent had open.
        try await wait(until: "\(merged) to be unmounted") {
            try await Command.output(["umount", merged])
            return true
        }
    }
}
