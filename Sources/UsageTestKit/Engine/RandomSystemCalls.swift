internal import Foundation
internal import Glibc

/// Does what programs do to their files, at random but the same for the same seed.
public struct RandomSystemCalls: Sendable {
    private let root: String
    private var generator: SeededGenerator
    private var open: [Int32] = []

    public init(root: String, seed: UInt64) {
        self.root = root
        generator = SeededGenerator(seed: seed)
    }

    /// One operation on names out of a small set, so that they meet.
    public mutating func step() {
        let path = randomPath()
        switch Int.random(in: 0..<20, using: &generator) {
        case 0...3: write(path, flags: O_CREAT | O_WRONLY | O_APPEND)
        case 4: write(path, flags: O_CREAT | O_WRONLY | O_TRUNC)
        case 5: _ = truncate(path, off_t.random(in: 0..<200_000, using: &generator))
        case 6, 7: _ = link(path, randomPath())
        case 8, 9: _ = unlink(path)
        case 10, 11: _ = mkdir(path, 0o755)
        case 12: _ = rmdir(path)
        case 13, 14, 15: _ = rename(path, randomPath())
        case 16: _ = symlink("target", path)
        case 17: try? FileManager.default.removeItem(atPath: path)
        case 18:
            let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
            if descriptor >= 0 { open.append(descriptor) }
            if open.count > 4 { close(open.removeFirst()) }
        default:
            if let descriptor = open.randomElement(using: &generator) { fill(descriptor) }
        }
    }

    /// Closes what it has open.
    public mutating func finish() {
        for descriptor in open { close(descriptor) }
        open = []
    }

    private mutating func write(_ path: String, flags: Int32) {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        fill(descriptor)
        close(descriptor)
    }

    private mutating func fill(_ descriptor: Int32) {
        let bytes = [UInt8](repeating: 7, count: Int.random(in: 1..<30_000, using: &generator))
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }

    private mutating func randomPath() -> String {
        var path = root
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            path += "/" + String("abcdef".randomElement(using: &generator) ?? "a")
        }
        return path
    }
}
