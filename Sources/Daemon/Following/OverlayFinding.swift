internal import Foundation
internal import Glibc
internal import Kernel

/// What a probe of overlayfs found, noted for a daemon that may not mount: one word in a file of root's.
public enum OverlayFinding {
    public static let defaultDirectory = "/run/usaged"
    private static let name = FileName(bytes: Array("overlay-events".utf8))

    /// Probes the kernel and notes the finding in `directory`, which is made where it is missing.
    ///
    /// Returns whether data written through overlayfs is told. It blocks; it needs root.
    public static func note(in directory: String = defaultDirectory) throws -> Bool {
        let finding = try OverlayProbe.run()
        // Readable for the daemon's user, whatever the umask.
        if mkdir(directory, 0o755) == 0 { chmod(directory, 0o755) }
        let path = "\(directory)/\(name.escaped)"
        try Data("\(finding.rawValue)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        chmod(path, 0o644)
        return finding == .told
    }

    /// The finding; `nil` where there is none, or none that root wrote.
    static func read(in directory: String = defaultDirectory) -> OverlayProbe.Finding? {
        guard let opened = try? Directory.open(path: directory), (try? opened.status())?.owner == 0,
            (try? opened.status(of: name))?.owner == 0,
            let bytes = try? BoundedFile.read(name, in: opened, limit: 64)
        else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return OverlayProbe.Finding(rawValue: text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
