public import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// Writes to the standard output.
public enum StandardOutput {
    public static let descriptor: Int32 = 1

    /// The reader has gone, as in `| head`: nothing is left to do, and nothing is wrong.
    public struct ReaderGone: Error {
        public init() {}
    }

    /// Writes all of it.
    ///
    /// - Throws: ``ReaderGone``, or a ``ClientError`` where the disk is full and the like.
    public static func write(_ text: String) throws {
        try write(bytes: Array(text.utf8))
    }

    /// Writes a line of JSON as it came.
    public static func writeLine(_ json: Data) throws {
        try write(bytes: json.last == UInt8(ascii: "\n") ? Array(json) : Array(json) + [UInt8(ascii: "\n")])
    }

    private static func write(bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch Errno(rawValue: Glibc.errno) {
            case .interrupted: continue
            case .wouldBlock:
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, 1000)
            case .brokenPipe: throw ReaderGone()
            case let failure: throw ClientError(.local, "cannot write to the standard output: \(failure)")
            }
        }
    }

    /// Makes a gone reader an error of `write` instead of the end of the process.
    public static func ignoreBrokenPipe() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// The descriptor to watch for a reader that goes away while nothing is written; none for a file or terminal.
    static var watched: [Int32] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return [] }
        return [descriptor]
    }
}

/// Writes messages beside the output; that one cannot be written is no reason to fail.
public enum StandardError {
    /// Says something, with the client's name before it.
    public static func say(_ message: String) {
        let bytes = Array("usage-client: \(message)\n".utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
