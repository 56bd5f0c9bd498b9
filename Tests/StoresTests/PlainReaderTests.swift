import Accounting
import Foundation
import Stores
import Testing

@Suite("A plain directory of layers")
struct PlainReaderTests {
    @Test("every subdirectory is a writable layer named after it")
    func readsSubdirectories() throws {
        let root = try DockerAbsenceTests.EmptyRoot(["one", "two words", "line\nbreak"])
        try Data().write(to: URL(fileURLWithPath: root.path + "/file"))
        try FileManager.default.createSymbolicLink(atPath: root.path + "/link", withDestinationPath: "/etc")
        let reader = Stores.open(StoreLocation(kind: .plain, path: root.path))
        let reading = reader.read()
        #expect(reading.facts.layers.map(\.id) == ["line\\x0abreak", "one", "two words"])
        #expect(reading.facts.layers.allSatisfy { $0.kind == .container })
        #expect(reading.facts.layers.first?.directory == reader.identity.root + "/line\nbreak")
        #expect(reading.facts.containers.map(\.layer) == reading.facts.layers.map(\.id))
        #expect(reading.facts.problems.isEmpty)
        #expect(reading.directories == [reader.identity.root])
        #expect(reader.identity.engine == "plain")
        #expect(reader.identity.driver == "directory")
    }

    @Test("a name that is not UTF-8 is said, escaped")
    func namesNotUTF8() throws {
        let root = try DockerAbsenceTests.EmptyRoot(["good"])
        let path = Array(root.path.utf8CString.dropLast()) + [0x2F, CChar(bitPattern: 0xFF), 0]
        #expect(mkdir(path, 0o755) == 0)
        defer { rmdir(path) }
        let facts = PlainReader(root: root.path).read().facts
        #expect(facts.layers.map(\.id) == ["good"])
        #expect(facts.problems.map(\.object) == [.layer("\\xff")])
    }

    @Test("of two names that are one text in two spellings the second is said, and not taken for the first")
    func oneTextTwice() throws {
        let root = try DockerAbsenceTests.EmptyRoot(["cafe\u{301}", "good"])
        // By bytes, for FileManager may choose the spelling.
        #expect(mkdir(root.path + "/caf\u{E9}", 0o755) == 0)
        let facts = PlainReader(root: root.path).read().facts
        #expect(facts.layers.map(\.id) == ["cafe\u{301}", "good"])
        #expect(Set(facts.layers.map(\.id)).count == 2)
        #expect(facts.problems.map(\.object) == [.layer("caf\\xc3\\xa9")])
        #expect(facts.problems.map(\.severity) == [.damaged])
    }

    @Test("a root that does not exist is unreadable")
    func missingRoot() throws {
        let root = try DockerAbsenceTests.EmptyRoot()
        let reading = PlainReader(root: root.path + "/absent").read()
        #expect(reading.facts.problems.map(\.severity) == [.unreadable])
        #expect(reading.directories.count == 1)
    }
}
