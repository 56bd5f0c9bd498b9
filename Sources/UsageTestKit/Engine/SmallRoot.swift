internal import Foundation

/// A root file system of a shell and a few commands, made of what this host has, for tests that need no archive.
public enum SmallRoot {
    /// Makes the tar file in a directory and returns its path; a few megabytes.
    public static func tar(in directory: ScratchDirectory) async throws -> String {
        let root = try directory.directory("small-root")
        let path = directory("small-root.tar")
        let script = """
            set -eu
            cd "$1"
            mkdir -p bin etc tmp proc sys dev
            for name in sh cat dd ln ls mkdir mv rm seq sleep touch; do
                file=$(readlink -f "$(command -v $name)")
                cp "$file" bin/$name
                for library in $(ldd "$file" | grep -o '/[^ ]*'); do
                    mkdir -p ".${library%/*}"
                    cp -Ln "$library" ".$library" || true
                done
            done
            echo 'nobody:x:65534:' > etc/group
            tar -cf "$2" .
            """
        try await Command.output(["sh", "-c", script, "sh", root, path], deadline: .seconds(60))
        return path
    }
}
