import Testing
import UsageTestKit

@testable import Notify

@Suite("the directory of the queues")
struct StateDirectoryTests {
    @Test("a second process that is turned away closes no descriptor of others")
    func turnedAway() async throws {
        try await withNotifyScratch { scratch in
            let path = scratch("state")
            let first = try StateDirectory(path)
            let closed = try await foreignDescriptorsClosed(while: 20_000) {
                _ = try? StateDirectory(path)
            }
            #expect(closed == 0)
            #expect(throws: NotifyError.self) { try StateDirectory(path) }
            withExtendedLifetime(first) {}
        }
    }
}
