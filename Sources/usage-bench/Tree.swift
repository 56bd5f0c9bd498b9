import Glibc
import UsageTestKit

/// Trees to be scanned: directories of 25 small files each, as in a root file system.
enum Tree {
    static let filesPerDirectory = 25

    /// Makes directories and files, so many in all, and returns how many.
    @discardableResult
    static func make(at path: String, entries: Int, seed: UInt64) throws -> Int {
        var generator = SeededGenerator(seed: seed)
        let bytes = [UInt8](repeating: 120, count: 6_000)
        var made = 0
        var directory = 0
        while made < entries {
            let below = "\(path)/d\(directory / 100)"
            if directory % 100 == 0 {
                try makeDirectory(below)
                made += 1
            }
            let place = "\(below)/d\(directory % 100)"
            try makeDirectory(place)
            made += 1
            directory += 1
            for file in 0..<min(filesPerDirectory, entries - made) {
                try write("\(place)/file-\(file)", bytes.prefix(Int.random(in: 0...6_000, using: &generator)))
                made += 1
            }
        }
        return made
    }

    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 else { throw failure("mkdir", path) }
    }

    static func write(_ path: String, _ bytes: ArraySlice<UInt8>) throws {
        let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw failure("write", path) }
    }

    static func failure(_ call: String, _ path: String) -> WaitFailure {
        WaitFailure(description: "\(call) \(path): \(String(cString: strerror(errno)))")
    }
}
