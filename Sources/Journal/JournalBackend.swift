internal import Glibc

/// Where log records go.
public enum JournalBackend: Hashable, Sendable {
    /// To journald by its native protocol, with all fields.
    case journal
    /// To standard error; with the priority prefixes of `sd-daemon(3)` where a program reads it.
    case stderr(prefixed: Bool)

    /// The variable that forces one: `journal` or `stderr`.
    public static let variable = "USAGED_LOG"

    /// Picks by what standard error is: the journal when it is the stream that the service manager connected,
    /// named by `JOURNAL_STREAM` (`systemd.exec(5)`), else standard error itself.
    public static func choose(environment: [String: String]) -> JournalBackend {
        var status = stat()
        let identity =
            fstat(STDERR_FILENO, &status) == 0 ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
        return choose(
            environment: environment, stderr: identity, isTerminal: isatty(STDERR_FILENO) == 1)
    }

    static func choose(
        environment: [String: String], stderr: (device: UInt64, inode: UInt64)?, isTerminal: Bool
    ) -> JournalBackend {
        switch environment[variable] {
        case "journal": return .journal
        case "stderr": return .stderr(prefixed: !isTerminal)
        default: break
        }
        let stream = environment["JOURNAL_STREAM"]?.split(separator: ":").map { UInt64($0) }
        if let stderr, let stream, stream.count == 2, stream[0] == stderr.device, stream[1] == stderr.inode {
            return .journal
        }
        return .stderr(prefixed: !isTerminal)
    }

    /// What is wrong with the value of ``variable``, if anything.
    public static func complaint(environment: [String: String]) -> String? {
        guard let value = environment[variable], !["", "journal", "stderr"].contains(value) else {
            return nil
        }
        return "\(variable)=\(PrintableText.escape(value, limit: 64)) is ignored; it may be journal or stderr"
    }
}
