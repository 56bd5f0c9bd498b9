import FoundationEssentials
import Wire

@testable import UsageClient

extension FuzzTarget {
    /// The JSON of an answer or an event, decoded and printed as the client does.
    ///
    /// The first byte chooses the question; the rest is the answer to it.
    static let wire = FuzzTarget(name: "wire") { bytes in
        var input = FuzzInput(bytes)
        let question = input.byte() % questions.count
        try questions[question](Data(input.rest))
    }

    private static let questions: [@Sendable (Data) throws -> Void] = [
        { json in
            try check(json) { (status: Status, options) in
                [
                    Render.status(status, options), Render.diskFree(status, options),
                    CheckResult(status, options).line,
                ]
            }
        },
        { json in
            try check(json) { (list: ImageList, options) in
                [true, false].map { Render.images(list, withSteps: $0, options) }
            }
        },
        { json in
            try check(json) { (detail: ImageDetail, options) in
                [Render.history(detail, options), Render.inspect(detail, options)]
            }
        },
        { json in try check(json) { (tree: Tree, options) in [Render.tree(tree, options)] } },
        { json in try check(json) { (list: ContainerList, options) in [Render.containers(list, options)] } },
        { json in
            try check(json) { (detail: ContainerDetail, options) in [Render.inspect(detail, options)] }
        },
        { json in try check(json) { (list: AlertList, options) in [Render.alerts(list, options)] } },
        { json in try check(json) { (since: Since, options) in [Render.since(since, options)] } },
        { json in try check(json) { (mark: MarkSet, options) in [Render.markSet(mark, options)] } },
        { json in try check(json) { (_: LayerList, _) in [] } },
        { json in
            try check(json) { (problem: Problem, _) in [ClientError.problem(problem, on: "/nowhere").report] }
        },
        { json in
            try check(json) { (event: FeedEvent, options) in
                var view = LiveView()
                // Twice, so that the second finds what the first left.
                _ = (view.apply(event), view.apply(event))
                return [Render.event(event, options) ?? ""] + view.frame(rows: 24, options)
            }
        },
    ]

    private static func check<Answer: Codable & Hashable>(
        _ json: Data, _ print: (Answer, RenderOptions) -> [String]
    ) throws {
        guard let answer = try? WireCoding.decode(Answer.self, from: json) else { return }
        let written = try WireCoding.encode(answer)
        try require(
            try WireCoding.decode(Answer.self, from: written) == answer, "an answer written is read again")
        for options in [
            RenderOptions(zone: .utc), RenderOptions(width: 1, bytes: .binary, zone: .utc),
            RenderOptions(width: 60, bytes: .exact),
        ] {
            for text in print(answer, options) { try requirePrintable(text, except: ["\n"]) }
        }
    }
}
