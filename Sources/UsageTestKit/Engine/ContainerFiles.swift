internal import Glibc
internal import Kernel

/// Writes files in a running container through its own mounts, as a process inside would, but with the moment of
/// each call's return known.
public struct ContainerFiles: Sendable {
    private let root: String

    /// Takes the process id of the container's first process; needs root.
    public init(processID: Int32) {
        root = "/proc/\(processID)/root"
    }

    /// Creates or appends to the file at the absolute `path` and returns when the writing call had returned.
    ///
    /// The file stays open until then, so that the closing of it tells nobody anything before.
    @discardableResult
    public func append(_ count: Int, to path: String) async throws -> ContinuousClock.Instant {
        try await withCheckedThrowingContinuation { continuation in
            NamedThread.start("container-write") { [root] in
                continuation.resume(with: Result { try Self.append(count, to: root + path) })
            }
        }
    }

    private static func append(_ count: Int, to path: String) throws -> ContinuousClock.Instant {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw ChildProcess.StartFailure(call: "open", path: path) }
        defer { close(descriptor) }
        let bytes = [UInt8](repeating: 0x78, count: count)
        guard write(descriptor, bytes, count) == count else {
            throw ChildProcess.StartFailure(call: "write", path: path)
        }
        return .now
    }
}
