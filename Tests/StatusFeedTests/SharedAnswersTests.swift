import NIOCore
import Synchronization
import Testing
import UsageTestKit

@testable import StatusFeed

@Suite("Equal questions at once")
struct SharedAnswersTests {
    private static let question = SharedAnswers.Question(route: .images, isPrivileged: true)

    /// Answers that wait until they may end, and are numbered in the order in which they began.
    private final class Source: Sendable {
        private let state = Mutex((begun: 0, open: 0))

        var begun: Int { state.withLock { $0.begun } }

        func release(_ count: Int) { state.withLock { $0.open = count } }

        func answer() async throws -> Answer {
            let number = state.withLock { state in
                state.begun += 1
                return state.begun
            }
            while state.withLock({ $0.open < number }) { await Task.yield() }
            return Answer(status: 200 + number, contentType: "", body: ByteBuffer())
        }
    }

    @Test("those that come while one is answered wait for the next, and get one answer together")
    func together() async throws {
        let shared = SharedAnswers()
        let source = Source()
        let first = Task { try await shared.answer(Self.question) { try await source.answer() } }
        try await eventually("the first began") { source.begun == 1 }
        let others = (0..<50).map { _ in
            Task { try await shared.answer(Self.question) { try await source.answer() } }
        }
        try await eventually("the others wait") { shared.waitingCount(Self.question) == 50 }
        #expect(source.begun == 1)
        source.release(2)
        #expect(try await first.value.status == 201)
        for other in others { #expect(try await other.value.status == 202) }
        #expect(source.begun == 2)
        // Nothing is kept for who comes later.
        source.release(3)
        #expect(
            try await shared.answer(Self.question) { try await source.answer() }.status == 203)
    }

    @Test("other questions, and those of others than root, do not wait")
    func apart() async throws {
        let shared = SharedAnswers()
        let source = Source()
        let questions = [
            Self.question, SharedAnswers.Question(route: .images, isPrivileged: false),
            SharedAnswers.Question(route: .status(top: 1), isPrivileged: true),
            SharedAnswers.Question(route: .status(top: nil), isPrivileged: true),
        ]
        let tasks = questions.map { question in
            Task { try await shared.answer(question) { try await source.answer() } }
        }
        try await eventually("all began") { source.begun == questions.count }
        source.release(questions.count)
        for task in tasks { _ = try await task.value }
    }

    @Test("who gives up while it waits is let go, and costs the others nothing")
    func cancelled() async throws {
        let shared = SharedAnswers()
        let source = Source()
        let first = Task { try await shared.answer(Self.question) { try await source.answer() } }
        try await eventually("the first began") { source.begun == 1 }
        let lost = Task { try await shared.answer(Self.question) { try await source.answer() } }
        try await eventually("it waits") { shared.waitingCount(Self.question) == 1 }
        lost.cancel()
        await #expect(throws: CancellationError.self) { _ = try await lost.value }
        source.release(1)
        #expect(try await first.value.status == 201)
        try await eventually("nothing is answered any more") { shared.isIdle }
        #expect(source.begun == 1)
    }

    @Test("an error goes to all who asked together")
    func failed() async throws {
        let shared = SharedAnswers()
        await #expect(throws: CancellationError.self) {
            _ = try await shared.answer(Self.question) { throw CancellationError() }
        }
        #expect(shared.isIdle)
    }
}
