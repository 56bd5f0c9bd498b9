internal import Foundation

/// Programs of the host that a test needs.
public enum Program {
    public static func isInstalled(_ name: String) -> Bool {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/", "/usr/local/sbin/"].contains {
            FileManager.default.isExecutableFile(atPath: $0 + name)
        }
    }

    /// Whether a test that needs it runs: it does where it is there, and fails where all tests must run.
    public static func isRequired(_ name: String) -> Bool {
        isInstalled(name) || ProcessInfo.processInfo.environment["USAGED_TEST_ENGINE"] == "required"
    }
}
