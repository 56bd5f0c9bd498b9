internal import Foundation

/// What `du` says, the oracle of allocated bytes.
public enum DiskUsage {
    /// `du -sx --block-size=1` of each path, an inode that several of them hold counted at the first.
    public static func du(_ paths: [String]) async throws -> [Int64] {
        guard !paths.isEmpty else { return [] }
        let text = try await Command.output(
            ["du", "--summarize", "--one-file-system", "--block-size=1", "--"] + paths,
            deadline: .seconds(300))
        let figures = text.split(separator: "\n").compactMap { line in
            line.split(separator: "\t").first.flatMap { Int64($0) }
        }
        guard figures.count == paths.count else {
            throw WaitFailure(description: "du printed \(figures.count) figures for \(paths.count) paths")
        }
        return figures
    }

    /// `du -sx --block-size=1` of one path.
    public static func du(_ path: String) async throws -> Int64 {
        try await du([path]).reduce(0, +)
    }

    /// Bytes that `df` calls Used, of the file system that holds `path`.
    public static func used(_ path: String) async throws -> Int64 {
        let text = try await Command.output(["df", "--block-size=1", "--output=used", path])
        guard let used = text.split(separator: "\n").last.flatMap({ Int64($0.filter(\.isNumber)) }) else {
            throw WaitFailure(description: "df printed no figure: \(text)")
        }
        return used
    }

    /// Has the kernel write out what the file system that holds `path` still delays, so that every block is
    /// allocated.
    public static func sync(_ path: String) async throws {
        try await Command.output(["sync", "--file-system", path], deadline: .seconds(300))
    }
}
