internal import Foundation
internal import Kernel
internal import Glibc

/// A new directory on a file system that overlayfs can work on, removed when told.
public struct ScratchDirectory: Sendable {
    public let path: String

    /// Makes it in `USAGED_TEST_SCRATCH`, else in `/var/tmp`; the name stays short, for sockets inside.
    public init(_ name: String) throws {
        let parent = ProcessInfo.processInfo.environment["USAGED_TEST_SCRATCH"] ?? "/var/tmp"
        var template = Array("\(parent)/usaged-\(name).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw WaitFailure(
                description: "cannot make a directory in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes one for a body, and removes it after that.
    public static func with<Value>(
        _ name: String, removedWithin deadline: Duration = .seconds(120),
        _ body: (ScratchDirectory) async throws -> Value
    ) async throws -> Value {
        let scratch = try ScratchDirectory(name)
        let value: Value
        do {
            value = try await body(scratch)
        } catch {
            try? await scratch.remove(deadline: deadline)
            throw error
        }
        try await scratch.remove(deadline: deadline)
        return value
    }

    /// The path of an entry.
    public func callAsFunction(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file, with its directories, and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let url = URL(fileURLWithPath: self(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        return url.path
    }

    /// Makes a directory and returns its path.
    @discardableResult
    public func directory(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
        return self(name)
    }

    /// Detaches what is still mounted below it and removes it.
    ///
    /// More than once where that is needed: an engine's last processes may mount again what was detached.
    public func remove(deadline: Duration = .seconds(120)) async throws {
        try await wait(until: "the removal of \(path)", deadline: deadline) {
            let mounts = try MountTable.current().mounts.map(\.path)
            for mount in mounts.reversed() where mount.hasPrefix(path + "/") {
                _ = try await Command.run(["umount", "--lazy", mount])
            }
            try await Command.output(["rm", "-rf", "--one-file-system", path], deadline: deadline)
            return true
        }
    }
}
