internal import Foundation

/// Programs of the host that a test needs.
public enum Program {
    /// Where it is installed.
    public static func path(of name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/", "/usr/local/sbin/"]
            .map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    public static func isInstalled(_ name: String) -> Bool { path(of: name) != nil }

    /// Whether a test that needs it runs: it does where it is there, and fails where all tests must run.
    public static func isRequired(_ name: String) -> Bool {
        isInstalled(name) || ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
    }
}
