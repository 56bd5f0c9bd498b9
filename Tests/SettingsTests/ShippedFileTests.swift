import Accounting
import Settings
import Testing

@Suite("The configuration file as shipped")
struct ShippedFileTests {
    private static var path: String {
        let here = #filePath.split(separator: "/").dropLast(3)
        return "/" + here.joined(separator: "/") + "/etc/usaged/usaged.yaml"
    }

    private func contents() throws -> [UInt8] {
        let (files, issues) = SettingsFiles.read(path: Self.path, isRequired: true)
        #expect(issues.isEmpty)
        return try #require(files.first).bytes
    }

    @Test("is valid and has sensible rules in force")
    func rules() throws {
        let settings = try SettingsFiles.load(path: Self.path, isRequired: true)
        #expect(
            settings.alerts == [
                AlertRule(
                    name: "growth-warning", kind: .growth(windowSeconds: 600), limitBytes: 1_000_000_000),
                AlertRule(
                    name: "growth-critical", kind: .growth(windowSeconds: 3600), limitBytes: 5_000_000_000,
                    severity: .critical),
                AlertRule(
                    name: "size-warning", kind: .size, limitBytes: 10_000_000_000,
                    clearBytes: 9_000_000_000, forSeconds: 60),
            ])
        var rest = settings
        rest.alerts = []
        #expect(rest == Settings())
    }

    @Test("shows every setting with its default")
    func commentedDefaults() throws {
        let lines = String(decoding: try contents(), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        // A setting is `#key:` or `#  key:`; what is below "alerts" are examples.
        let head = lines.prefix { $0 != "alerts:" }
        var shown: [String] = []
        let text = head.map { line -> String in
            let body = line.dropFirst().drop { $0 == " " }
            let indent = line.dropFirst().count - body.count
            guard line.hasPrefix("#"), indent == 0 || indent == 2, let colon = body.firstIndex(of: ":"),
                body[..<colon].allSatisfy({ $0.isLowercase || $0 == "_" })
            else { return "" }
            shown.append(String(body[..<colon]))
            return String(line.dropFirst())
        }
        let settings = try Settings.load(files: [("uncommented", Array(text.joined(separator: "\n").utf8))])
        #expect(settings == Settings())
        #expect(
            shown.sorted() == [
                "audit_interval", "barrier_deadline", "batch_interval", "daemon_json", "docker", "group",
                "log_level", "orphan_grace", "path", "polling_interval", "socket", "state_directory",
                "stores", "tracking",
                "watch_budget",
            ])
    }
}
