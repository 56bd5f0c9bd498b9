import Accounting
import Kernel
import Logging
import StatusFeed

@testable import Daemon

extension UsageBooks {
    /// Books of nothing, of which nobody is told.
    static func untold() throws -> UsageBooks {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return UsageBooks(
            alerts: AlertBook(rules: []), growth: GrowthBook(),
            announcer: Announcer(hub: FeedHub(firstID: 1), logger: logger) {}, wakeUp: try WakeUp())
    }
}
