internal import Foundation

/// A minimal Debian root as a tar file, made once and kept.
public enum BaseRoot {
    /// The directory of the package.
    public static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Makes the tar file in `USAGED_TEST_CACHE`, else in `/var/cache/usaged-tests`, where it is missing, and returns
    /// its path; needs root and the Debian archive.
    ///
    /// The packages are in it beside the essential ones.
    public static func tar(with packages: [String] = []) async throws -> String {
        let cache = ProcessInfo.processInfo.environment["USAGED_TEST_CACHE"] ?? "/var/cache/usaged-tests"
        let release = try String(contentsOfFile: "/etc/os-release", encoding: .utf8)
        let codename = release.split(separator: "\n").first { $0.hasPrefix("VERSION_CODENAME=") }?
            .dropFirst("VERSION_CODENAME=".count)
        let name = ([String(codename ?? "debian")] + packages).joined(separator: "+")
        let path = "\(cache)/\(name).tar"
        try await Command.output(
            ["\(package)/scripts/base-root.sh", path] + packages, deadline: .seconds(900))
        return path
    }
}
