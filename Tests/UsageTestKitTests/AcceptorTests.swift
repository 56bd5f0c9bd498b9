import Glibc
import Testing
import UsageTestKit

@testable import UsageClient

@Suite("accepting connections in tests")
struct AcceptorTests {
    @Test("after its end it takes no connection of who listens next")
    func ending() async throws {
        try await ScratchDirectory.with("accept") { scratch in
            try await onThread {
                for round in 0..<1000 {
                    let path = scratch("\(round)")
                    let acceptor = Acceptor(try listen(at: path))
                    acceptor.start { _ in }
                    // It goes from one to the next while it is told to end.
                    let clients = try (0..<4).map { _ in try UnixSocket(path: path, timeout: .seconds(10)) }
                    acceptor.end()

                    // It may well have the number that the acceptor's had.
                    let next = try listen(at: path + "n")
                    defer { close(next) }
                    let client = try UnixSocket(path: path + "n", timeout: .seconds(10))
                    var entry = pollfd(fd: next, events: Int16(POLLIN), revents: 0)
                    #expect(poll(&entry, 1, 0) == 1, "round \(round): somebody else accepted")
                    withExtendedLifetime((clients, client)) {}
                }
            }
        }
    }
}
