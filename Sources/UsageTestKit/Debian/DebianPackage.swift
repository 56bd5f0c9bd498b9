internal import Foundation

/// The Debian package of the executables that were built with the tests.
public struct DebianPackage: Sendable {
    public let path: String

    /// Builds it in a directory; fast, for it is packed little.
    ///
    /// `USAGED_TEST_BINARIES` names a directory of executables to be packed instead, as `.build/release`.
    public static func build(in directory: String) async throws -> DebianPackage {
        try await Command.output(
            ["\(BaseRoot.package)/scripts/deb.sh"] + (chosenBinaries == nil ? ["--toolchain-runtime"] : [])
                + ["--binaries", try binaries(), "--output", directory],
            environment: fastPacking, deadline: .seconds(300))
        let packages = try FileManager.default.contentsOfDirectory(atPath: directory).filter {
            $0.hasSuffix(".deb")
        }
        guard packages.count == 1, let name = packages.first else {
            throw WaitFailure(description: "deb.sh left \(packages) in \(directory)")
        }
        return DebianPackage(path: "\(directory)/\(name)")
    }

    /// The same under another version, in another file of the same directory.
    public func copy(version: String) async throws -> DebianPackage {
        let copy = DebianPackage(path: "\(path.dropLast(4))-\(version).deb")
        let tree = "\(copy.path).tree"
        let script = """
            set -eu
            dpkg-deb --raw-extract "$1" "$2"
            sed -i "s/^Version: .*/Version: $3/" "$2/DEBIAN/control"
            dpkg-deb --root-owner-group --build "$2" "$4" >/dev/null
            rm -rf "$2"
            """
        try await Command.output(
            ["sh", "-c", script, "sh", path, tree, version, copy.path], environment: Self.fastPacking,
            deadline: .seconds(300))
        return copy
    }

    /// A field of its control file.
    public func field(_ name: String) async throws -> String {
        try await Command.output(["dpkg-deb", "--field", path, name])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Where an executable loads the Swift runtime from, unless it is linked in.
    public static func runtimeDirectory() async throws -> String? {
        guard chosenBinaries == nil else { return nil }
        let libraries = try await Command.output(["ldd", try UsagedProcess.executable("usaged")])
        let core = libraries.split(separator: " ").first { $0.hasSuffix("/libswiftCore.so") }
        return core.map { URL(fileURLWithPath: String($0)).deletingLastPathComponent().path }
    }

    /// The directory of the executables that are packed.
    public static func binaries() throws -> String {
        if let chosenBinaries { return chosenBinaries }
        return URL(fileURLWithPath: try UsagedProcess.executable("usaged")).deletingLastPathComponent().path
    }

    private static let chosenBinaries = ProcessInfo.processInfo.environment["USAGED_TEST_BINARIES"]
    private static let fastPacking = ["DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"]
}
