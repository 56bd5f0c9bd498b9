@testable import UsageClient

extension FuzzTarget {
    /// What something that need not be the daemon answers the client.
    ///
    /// The first two bytes say whether the body is bounded and how long the pieces are that come.
    static let response = FuzzTarget(name: "response") { bytes in
        var input = FuzzInput(bytes)
        let limit = [nil, 0, 16, 1 << 20][input.byte() % 4]
        let step = input.byte()
        let answer = Array(input.rest)
        let whole = read(answer, pieces: .max, limit: limit)
        let pieces = read(answer, pieces: 1 + step % 64, limit: limit)
        try require(
            whole.failure == pieces.failure, "\(whole.failure as Any), in pieces \(pieces.failure as Any)")
        try require(whole.head == pieces.head, "the head is the same however it comes")
        guard whole.failure == nil else { return }
        try require(whole.body == pieces.body, "the body is the same however it comes")
        try require(whole.isComplete == pieces.isComplete, "the end is the same however it comes")
        try require(whole.body.count <= answer.count, "the body is a part of what came")
        if let head = whole.head { try require((200...599).contains(head.status), "\(head) ends the answer") }
        try require(lines(whole.body, pieces: .max) == lines(whole.body, pieces: 1 + step % 64), "lines")
    }

    private struct Outcome {
        var head: ResponseParser.Head?
        var body: [UInt8] = []
        var failure: ResponseParser.Failure?
        var isComplete = false
    }

    private static func read(_ bytes: [UInt8], pieces: Int, limit: Int?) -> Outcome {
        var parser = ResponseParser(bodyLimit: limit)
        var outcome = Outcome()
        do throws(ResponseParser.Failure) {
            var rest = bytes[...]
            while !rest.isEmpty {
                try parser.receive(rest.prefix(pieces))
                rest = rest.dropFirst(pieces)
                outcome.body += parser.takeBody()
                if let limit, outcome.body.count > limit { outcome.failure = .tooLarge(limit: -1) }
            }
            outcome.isComplete = parser.isComplete
            try parser.end()
        } catch {
            outcome.failure = error
        }
        outcome.head = parser.head
        return outcome
    }

    /// The lines of a feed; `nil` where one is too long.
    private static func lines(_ bytes: [UInt8], pieces: Int) -> [[UInt8]]? {
        var splitter = LineSplitter(limit: 32)
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard (try? splitter.receive(Array(rest.prefix(pieces)))) != nil else { return nil }
            rest = rest.dropFirst(pieces)
            while let line = splitter.nextLine() { lines.append(line) }
        }
        return lines
    }
}
