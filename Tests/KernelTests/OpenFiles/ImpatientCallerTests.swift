import Dispatch
import Testing
import UsageTestKit

@testable import Kernel

@Suite("Calls that may never return")
struct ImpatientCallerTests {
    @Test("a call that hangs is given up, nothing is called behind it, and once it returns others are")
    func hanging() async throws {
        let caller = ImpatientCaller(patienceMilliseconds: 20)
        let release = DispatchSemaphore(value: 0)
        #expect(caller.value { 1 } == 1)
        #expect(
            caller.value {
                release.wait(); return 2
            } == nil)
        #expect(caller.value { 3 } == nil)
        release.signal()
        let value = try await wait(for: "the caller to be free") { caller.value { 4 } }
        #expect(value == 4)
    }
}
