import Foundation
import Journal
import Testing
import UsageTestKit

@Suite("Catalog and units")
struct CatalogTests {
    private struct Entry {
        var subject: String
        var body: String
    }

    private func catalog() throws -> [String: Entry] {
        var entries: [String: Entry] = [:]
        for part in "\n".appending(try Probe.text(of: "systemd/usaged.catalog")).components(
            separatedBy: "\n-- "
        )
        .dropFirst() {
            let lines = part.components(separatedBy: "\n")
            let subject = lines.first { $0.hasPrefix("Subject: ") }?.dropFirst(9) ?? ""
            let body = part.components(separatedBy: "\n\n").dropFirst().joined(separator: "\n\n")
            #expect(entries[lines[0]] == nil)
            entries[lines[0]] = Entry(subject: String(subject), body: body)
        }
        return entries
    }

    @Test("every kind of record has a catalog entry and every entry a kind")
    func agree() throws {
        let entries = try catalog()
        #expect(Set(entries.keys) == Set(RecordKind.allCases.map(\.messageID)))
        #expect(Set(entries.values.map(\.subject)).count == entries.count)
        for kind in RecordKind.allCases {
            #expect(RecordKind(messageID: kind.messageID) == kind)
            let entry = try #require(entries[kind.messageID])
            #expect(!entry.subject.isEmpty && !entry.body.isEmpty, "\(kind)")
            let shown = entry.body.components(separatedBy: "@").filter { $0.hasPrefix("USAGED_") }
            let carried = kind.metadataKeys.map { "USAGED_" + $0.uppercased() }
            #expect(Set(shown).isSubset(of: carried), "\(kind)")
        }
    }

    @Test("what catalog and configuration point to exists")
    func references() throws {
        for line in try Probe.text(of: "systemd/usaged.catalog").components(separatedBy: "\n")
        where line.hasPrefix("Documentation:") {
            // scripts/install.sh puts it there.
            #expect(line == "Documentation: file:/usr/share/doc/usaged/README.md")
        }
        // A command in a text is one that the client has.
        let commands = try FileManager.default.contentsOfDirectory(
            atPath: Probe.root.appendingPathComponent("Sources/usage-client/Commands").path)
        var known: Set<String> = []
        for file in commands {
            let text = try Probe.text(of: "Sources/usage-client/Commands/\(file)")
            for part in text.components(separatedBy: "commandName: \"").dropFirst() {
                known.insert(String(part.prefix { $0 != "\"" }))
            }
        }
        #expect(known.contains("status"))
        for file in ["systemd/usaged.catalog", "etc/usaged/usaged.yaml"] {
            for part in try Probe.text(of: file).components(separatedBy: "\"usage-client ").dropFirst() {
                let command = String(part.prefix { $0.isLetter })
                #expect(known.contains(command), "\(file) names usage-client \(command)")
            }
        }
    }

    @Test("systemd takes the catalog", .enabled(if: Program.isInstalled("journalctl")))
    func systemdTakesCatalog() async throws {
        let root = try Scratch()
        defer { root.remove() }
        try root.copy("systemd/usaged.catalog", to: "usr/lib/systemd/catalog/usaged.catalog")
        try root.makeDirectory("var/lib/systemd/catalog")
        let update = try await Probe.run(["journalctl", "--root=\(root.path)", "--update-catalog"])
        #expect(update.status == 0, "\(update.errors)")
        let list = try await Probe.run(["journalctl", "--root=\(root.path)", "--list-catalog"])
        #expect(list.output.split(separator: "\n").count == RecordKind.allCases.count)
    }

    @Test(
        "systemd finds no fault in the units, and the sandbox is tight",
        .enabled(if: Program.isInstalled("systemd-analyze")))
    func units() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        // The program is not installed where the test runs.
        let service = try Probe.text(of: "systemd/usaged.service")
            .replacingOccurrences(of: "/usr/sbin/usaged", with: "/bin/true")
        try scratch.write(service, to: "usaged.service")
        try scratch.copy("systemd/usaged.socket", to: "usaged.socket")
        let arguments = [
            "systemd-analyze", "verify", "--man=no", scratch.path + "/usaged.service",
            scratch.path + "/usaged.socket",
        ]
        try await expectNoFault("usaged.", by: arguments)
        try await expectExposure(ofUnit: "usaged.service", in: scratch, atMost: 7)
        // The drop-ins come last: they are for those who take their price.
        for name in ["deleted-open.conf", "limits.conf"] {
            try scratch.copy("systemd/\(name)", to: "usaged.service.d/\(name)")
            try await expectNoFault(name, by: arguments)
        }
        let notify = try Probe.text(of: "systemd/usaged-notify.service")
            .replacingOccurrences(of: "/usr/bin/usage-client", with: "/bin/true")
        try scratch.write(notify, to: "usaged-notify.service")
        try await expectNoFault(
            "usaged",
            by: ["systemd-analyze", "verify", "--man=no", scratch.path + "/usaged-notify.service"])
        // It has a network, which alone is worth 8.
        try await expectExposure(ofUnit: "usaged-notify.service", in: scratch, atMost: 11)
    }

    /// Has `systemd-analyze verify` look, which complains of other units of the host as well.
    private func expectNoFault(
        _ name: String, by arguments: [String], location: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await Probe.run(arguments)
        #expect(result.status == 0, sourceLocation: location)
        #expect(!result.errors.contains(name), "\(result.errors)", sourceLocation: location)
    }

    /// In tenths, as `systemd-analyze security` counts.
    private func expectExposure(
        ofUnit name: String, in scratch: Scratch, atMost tenths: Int,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await Probe.run([
            "systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=\(tenths)",
            "\(scratch.path)/\(name)",
        ])
        #expect(result.status == 0, "\(result.output)", sourceLocation: location)
    }

    @Test("the unit that delivers alerts can neither end nor hold up the daemon")
    func notifyUnit() throws {
        let unit = try Probe.text(of: "systemd/usaged-notify.service")
        let keys = unit.split(separator: "\n").compactMap { $0.split(separator: "=").first }
        for key in ["Requires", "BindsTo", "PartOf", "Conflicts", "Before", "Upholds"] {
            #expect(!keys.contains { $0 == key }, "\(key)")
        }
        #expect(unit.contains("\nStateDirectory=usaged-notify\n"))
        #expect(unit.contains("\nSupplementaryGroups=usaged\n"))
        #expect(unit.contains("\nCapabilityBoundingSet=\n"))
        for file in ["systemd/usaged.service", "systemd/usaged.socket"] {
            #expect(!(try Probe.text(of: file)).contains("usaged-notify"))
        }
    }

    @Test("the names of the units' sockets are those the daemon looks for")
    func socketNames() throws {
        let socket = try Probe.text(of: "systemd/usaged.socket")
        #expect(socket.contains("\nFileDescriptorName=\(PassedSockets.feedName)\n"))
        #expect(socket.contains("\nListenStream=/run/usaged/usaged.sock\n"))
        let service = try Probe.text(of: "systemd/usaged.service")
        #expect(!service.contains("\nRuntimeDirectory="))
    }

    @Test("sysusers makes the user and group", .enabled(if: Program.isInstalled("systemd-sysusers")))
    func sysusers() async throws {
        let root = try Scratch()
        defer { root.remove() }
        try root.copy("systemd/usaged.sysusers", to: "usr/lib/sysusers.d/usaged.conf")
        try root.makeDirectory("etc")
        let run = try await Probe.run(["systemd-sysusers", "--root=\(root.path)"])
        #expect(run.status == 0, "\(run.errors)")
        let users = try String(contentsOfFile: root.path + "/etc/passwd", encoding: .utf8)
        #expect(users.contains(":/var/lib/usaged:/usr/sbin/nologin"))
    }
}

/// A directory of its own for one test.
struct Scratch {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("usaged-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try makeDirectory(URL(fileURLWithPath: "/\(name)").deletingLastPathComponent().relativePath)
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    }

    func copy(_ file: String, to name: String) throws {
        try write(try Probe.text(of: file), to: name)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
