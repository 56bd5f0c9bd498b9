import Foundation
import Testing
import UsageTestKit

@Suite("make install, make uninstall and make exposure")
struct InstallTests {
    private func make(_ target: String, _ scratch: ScratchDirectory, prefix: String) async throws {
        let built = URL(fileURLWithPath: try UsagedProcess.executable("usaged")).deletingLastPathComponent()
            .path
        try await Command.output(
            [
                "make", "--silent", "-C", BaseRoot.package, target, "DESTDIR=\(scratch("root"))",
                "PREFIX=\(prefix)",
                "BINARIES=\(built)",
            ], deadline: .seconds(120))
    }

    private func files(_ scratch: ScratchDirectory) async throws -> [String] {
        try await Command.output([
            "find", scratch("root"), "-mindepth", "1", "-not", "-type", "d", "-printf", "/%P\\n",
        ])
        .split(separator: "\n").map(String.init).sorted()
    }

    @Test(
        "what was installed is removed again but for configuration, wherever it was put",
        .enabled(if: Program.isRequired("make") && Program.isRequired("strip"), "needs make and binutils"),
        arguments: ["/usr", "/usr/local"])
    func symmetry(prefix: String) async throws {
        let scratch = try ScratchDirectory("install")
        try await make("install", scratch, prefix: prefix)
        let installed = try await files(scratch)
        #expect(installed.contains("\(prefix)/sbin/usaged"))
        #expect(installed.contains("\(prefix)/share/man/man5/usaged.yaml.5.gz"))
        #expect(installed.allSatisfy { $0.hasPrefix("\(prefix)/") || $0 == "/etc/usaged/usaged.yaml" })
        // What names a place names the right one.
        let service = try String(
            contentsOfFile: "\(scratch("root"))\(prefix)/lib/systemd/system/usaged.service", encoding: .utf8)
        #expect(service.contains("\nExecStart=\(prefix)/sbin/usaged\n"))
        #expect(service.contains("\nExecStartPre=-+\(prefix)/sbin/usaged --probe-overlay\n"))
        let catalog = try String(
            contentsOfFile: "\(scratch("root"))\(prefix)/lib/systemd/catalog/usaged.catalog", encoding: .utf8)
        #expect(catalog.contains("\nDocumentation: file:\(prefix)/share/doc/usaged/README.md\n"))
        #expect(installed.contains("\(prefix)/share/doc/usaged/README.md"))

        // Installing again keeps a changed configuration.
        let configuration = "\(scratch("root"))/etc/usaged/usaged.yaml"
        try "log_level: debug\n".write(toFile: configuration, atomically: false, encoding: .utf8)
        try await make("install", scratch, prefix: prefix)
        #expect(try String(contentsOfFile: configuration, encoding: .utf8) == "log_level: debug\n")
        #expect(try await files(scratch) == installed)

        for _ in 0..<2 {
            try await make("uninstall", scratch, prefix: prefix)
            #expect(try await files(scratch) == ["/etc/usaged/usaged.yaml"])
        }
        try await scratch.remove()
    }

    @Test(
        "the drop-ins say the exposure that systemd finds, and the unit has 0.7 or lower",
        .enabled(if: Program.isRequired("systemd-analyze"), "needs systemd-analyze"))
    func exposure() async throws {
        let text = try await Command.output(["\(BaseRoot.package)/scripts/exposure.sh", "--own"])
        var exposures: [String: Double] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ")
            exposures[words.dropLast(2).joined(separator: " ")] = Double(words[words.count - 2])
        }
        let unit = try #require(exposures["usaged.service"])
        #expect(unit <= 0.7)
        let folder = "\(BaseRoot.package)/systemd"
        let dropIns = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".conf")
        }
        #expect(dropIns.count >= 2)
        for name in dropIns {
            let found = try #require(exposures["usaged.service with \(name)"])
            let dropIn = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            #expect(
                dropIn.contains("# Exposure of usaged.service with it: \(found) (make exposure)"),
                "\(name): \(found)")
        }
    }
}
