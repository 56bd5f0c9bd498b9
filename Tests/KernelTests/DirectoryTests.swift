import Foundation
import SystemPackage
import Testing
import UsageTestKit

@testable import Kernel

@Suite("Open directories")
struct DirectoryTests {
    @Test("a directory that was removed after it was opened cannot be listed, and says that it is gone")
    func removed() throws {
        let scratch = try ScratchDirectory("directory")
        defer { try? FileManager.default.removeItem(atPath: scratch.path) }
        #expect(mkdir(scratch("gone"), 0o755) == 0)
        let directory = try Directory.open(path: scratch("gone"))
        #expect(rmdir(scratch("gone")) == 0)
        let error = #expect(throws: KernelError.self) { try directory.entries() }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }
}
