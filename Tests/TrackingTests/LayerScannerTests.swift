import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Measuring by one walk")
struct LayerScannerTests {
    @Test("a directory that becomes a link, a file or nothing during the walk does not end it")
    func swapped() throws {
        let scratch = try ScratchDirectory("scan")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        for name in ["link", "file", "nothing", "stays"] { #expect(mkdir(scratch(name), 0o755) == 0) }
        try Data(repeating: 1, count: 5_000).write(to: URL(fileURLWithPath: scratch("stays") + "/a"))
        var asked = 0
        let result = try LayerScanner.measure(path: scratch.path) {
            asked += 1
            if asked == 2 {
                for name in ["link", "file", "nothing"] { rmdir(scratch(name)) }
                symlink("/", scratch("link"))
                _ = FileManager.default.createFile(atPath: scratch("file"), contents: nil)
            }
            return false
        }
        #expect(result.measure.total.sizeBytes == 5_000)
        #expect(result.directoriesRead == 2)
    }
}
