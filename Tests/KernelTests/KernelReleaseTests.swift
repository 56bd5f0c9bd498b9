import Testing

@testable import Kernel

@Suite("The kernel's release")
struct KernelReleaseTests {
    @Test(
        "its first two numbers are read, whatever follows",
        arguments: [("6.1.0-28-amd64", 6, 1), ("6.18.44", 6, 18), ("5.15-rc1+", 5, 15), ("6.5", 6, 5)])
    func parsing(text: String, major: Int, minor: Int) {
        #expect(KernelRelease(parsing: text) == KernelRelease(major: major, minor: minor))
    }

    @Test("what is no release is none", arguments: ["", "6", "x.y", ".5", "linux-6.1"])
    func noRelease(text: String) {
        #expect(KernelRelease(parsing: text) == nil)
    }

    @Test("releases compare by number, and the running one is known")
    func order() throws {
        #expect(KernelRelease(major: 6, minor: 4) < KernelRelease(major: 6, minor: 10))
        #expect(KernelRelease(major: 5, minor: 19) < KernelRelease(major: 6, minor: 0))
        #expect(try #require(KernelRelease.current) > KernelRelease(major: 3, minor: 0))
    }
}
