import Testing

@testable import Kernel

@Suite struct MountTableTests {
    private func table(_ points: String...) -> MountTable {
        let lines = points.enumerated().map { "\($0.offset) 0 8:1 / \($0.element) rw - ext4 /dev/a rw\n" }
        return MountTable(parsing: Array(lines.joined().utf8))
    }

    @Test("a path is held by the longest mount point above it, the last of equal ones")
    func holding() {
        let table = table("/", "/a", "/a", #"/with\040space"#)
        #expect(table.mount(holding: "/ab")?.path == "/")
        #expect(table.mount(holding: "/a/b") == table.mounts[2])
        #expect(table.mount(holding: "/a") == table.mounts[2])
        #expect(table.mount(holding: "/with space/x")?.path == "/with space")
    }

    @Test("names are compared by bytes, whatever characters they make together")
    func bytes() {
        // A combining accent behind the slash, and one letter in two spellings.
        #expect(table("/", "/a").mount(holding: "/a/\u{301}b")?.path == "/a")
        #expect(table("/").mount(holding: "/\u{301}")?.path == "/")
        let spellings = table("/", "/caf\u{E9}")
        #expect(spellings.mount(holding: "/cafe\u{301}/x")?.path == "/")
        #expect(spellings.mount(holding: "/caf\u{E9}/x")?.path == "/caf\u{E9}")
    }
}
