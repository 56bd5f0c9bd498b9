import Accounting
import Foundation
import Testing
import UsageTestKit

@testable import Stores

@Suite("Values in containerd's databases and files")
struct ContainerdValuesTests {
    @Test("SHA-256 is what sha256sum says, at each length around a block's end")
    func sha256() async throws {
        #expect(
            SHA256.hex(Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let scratch = try ScratchDirectory("sha")
        for length in [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000] {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ length) }
            try Data(bytes).write(to: URL(fileURLWithPath: scratch("f")))
            let said = try await Command.output(["sha256sum", scratch("f")])
            #expect(said.hasPrefix(SHA256.hex(bytes) + " "), "\(length) bytes")
        }
        try await scratch.remove()
    }

    @Test("numbers are those that Go writes; what is none is refused")
    func numbers() {
        for number in [UInt64(0), 1, 127, 128, 300, 1 << 35, .max] {
            #expect(GoValues.unsigned(BoltTree.Node.encode(number)[...]) == number)
        }
        for number in [Int64(0), -1, 1, 12_345_678_901, .min, .max] {
            guard case .value(let bytes) = BoltTree.Node.signed(number) else { continue }
            #expect(GoValues.signed(bytes[...]) == number)
        }
        for bytes in [[], [0x80], [1, 1], Array(repeating: 0xFF, count: 10)] as [[UInt8]] {
            #expect(GoValues.unsigned(bytes[...]) == nil, "\(bytes)")
        }
    }

    @Test("times are RFC 3339; what is none is refused")
    func times() {
        // From a real meta.db.
        let bytes: [UInt8] = [1, 0, 0, 0, 0x0E, 0xE2, 0x99, 0xFA, 0x9E, 0x2E, 0x65, 0xE4, 0x7F, 0xFF, 0xFF]
        #expect(GoValues.time(bytes[...]) == "2026-11-26T10:02:06Z")
        #expect(GoValues.time(bytes.dropLast()) == nil)
        #expect(GoValues.time(([9] + bytes.dropFirst())[...]) == nil)
        #expect(GoValues.time(([1, 0x7F] + bytes.dropFirst(2))[...]) == nil)
        #expect(GoValues.time([1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == nil)
    }

    @Test(
        "the root and the state are those that config.toml gives",
        arguments: [
            ("root = \"/srv/c\"\nstate = '/run/c'\n", "/srv/c", "/run/c"),
            (
                "# root = \"/no\"\nversion = 2\n  root=\"/srv/c\" # x\n[grpc]\nstate = \"/other\"\n",
                "/srv/c", nil
            ),
            ("[plugins]\nroot = \"/plugin\"\n", nil, nil), ("", nil, nil),
        ])
    func configuration(text: String, root: String?, state: String?) throws {
        let directory = try DockerAbsenceTests.EmptyRoot(["default", "kept"])
        let file = directory.path + "/config.toml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let detection = ContainerdDetection(
            configuration: file, places: [.init(root: directory.path + "/default", state: "/run/default")])
        let found = detection.locations()
        let expected = (root.map { [$0] } ?? []) + [directory.path + "/default"]
        #expect(found.locations == expected.map { StoreLocation(kind: .containerd, path: $0) })
        #expect(found.problems.isEmpty)
        if let root { #expect(detection.state(of: root) == state ?? "/run/containerd") }
        #expect(detection.state(of: directory.path + "/default") == "/run/default")
    }

    @Test("a configuration that cannot be used is said, and none is no problem")
    func badConfiguration() throws {
        let directory = try DockerAbsenceTests.EmptyRoot()
        let file = directory.path + "/config.toml"
        #expect(ContainerdDetection(configuration: file, places: []).locations().problems.isEmpty)
        try Data("root = \"relative\"".utf8).write(to: URL(fileURLWithPath: file))
        let found = ContainerdDetection(configuration: file, places: []).locations()
        #expect(found.locations.isEmpty)
        #expect(found.problems.first?.reason.contains("not an absolute path") == true)
    }
}
