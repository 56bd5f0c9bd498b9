/// A seeded mix of what programs do to files in a container, as a shell script that goes on when a step fails.
public struct RandomFileWork {
    private var random: SeededGenerator
    /// Files of the image, for copy-ups and whiteouts.
    private let lower: [String]

    /// Makes the work for `seed`; `lowerFiles` are absolute paths in the container without a quote in them.
    public init(seed: UInt64, lowerFiles: [String]) {
        random = SeededGenerator(seed: seed)
        lower = lowerFiles
    }

    /// A script of so many operations; each call goes on where the last one ended.
    public mutating func script(operations: Int) -> String {
        var lines = ["exec 2>/dev/null", "mkdir -p /work"]
        for _ in 0..<operations { lines.append(operation()) }
        lines.append("exit 0")
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func operation() -> String {
        switch Int.random(in: 0..<25, using: &random) {
        case 0...4: "mkdir -p \(directory()); head -c \(bytes()) /dev/zero > \(file())"
        case 5...6: "head -c \(bytes()) /dev/urandom >> \(file())"
        case 7: "ln \(file()) \(file())"
        case 8: "ln -s \(String(repeating: "t", count: .random(in: 1...200, using: &random))) \(file())"
        case 9: "truncate -s \(bytes()) \(file())"
        case 10...11: "mv -f -T \(file()) \(file())"
        case 12: "mv -f -T \(directory()) \(directory())"
        case 13...14: "mkdir -p \(directory())/deep/er/still"
        case 15: "rm -rf \(directory())"
        case 16: "rm -f \(file())"
        case 17: "chmod 6\(Int.random(in: 0..<8, using: &random))0 \(lowerFile())"
        case 18: "chown 1000:1000 \(lowerFile())"
        case 19: "ln \(lowerFile()) \(file())"
        case 20: "rm -rf \(lowerFile())"
        case 21: "dd if=/dev/zero of=\(file()) bs=4096 count=1 seek=\(hole()) conv=notrunc"
        case 22: "fallocate -l \(bytes()) \(file())"
        case 23: "fallocate -p -o 4096 -l \(bytes()) \(file())"
        default: "echo more >> \(lowerFile())"
        }
    }

    private mutating func bytes() -> Int {
        Bool.random(using: &random)
            ? .random(in: 0...5000, using: &random) : .random(in: 1...400_000, using: &random)
    }

    private mutating func hole() -> Int { .random(in: 0...2000, using: &random) }

    /// Few names, so that operations meet; some that a careless reader stumbles on.
    private mutating func name(_ kind: String) -> String {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: "'\(kind) with space'"
        case 1: "\"\(kind)$(printf '\\nline')\""
        case 2: "\"\(kind)$(printf '\\377\\200')\""
        case let other: "\(kind)\(other)"
        }
    }

    private mutating func directory() -> String {
        let depth = Int.random(in: 1...4, using: &random)
        return "/work/" + (0..<depth).map { _ in name("d") }.joined(separator: "/")
    }

    private mutating func file() -> String {
        Int.random(in: 0..<3, using: &random) == 0
            ? "/work/\(name("f"))" : "/work/\(name("d"))/\(name("f"))"
    }

    private mutating func lowerFile() -> String {
        lower.randomElement(using: &random).map { "'\($0)'" } ?? "/etc/passwd"
    }
}
