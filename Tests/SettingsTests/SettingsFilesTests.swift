import Foundation
import Settings
import Testing

@Suite("Configuration files")
struct SettingsFilesTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/settings-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/conf.d", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    private func issues(_ path: String, isRequired: Bool = true) -> [SettingsIssue] {
        do throws(SettingsError) {
            _ = try SettingsFiles.load(path: path, isRequired: isRequired)
            return []
        } catch {
            return error.issues
        }
    }

    @Test("drop-ins beside the file count in the order of their names; other files do not")
    func order() throws {
        try withFolder { folder in
            try write("log_level: error", folder + "/u.yaml")
            try write("log_level: debug\nstate_directory: /a", folder + "/conf.d/10-a.yaml")
            try write("log_level: notice", folder + "/conf.d/9-b.yaml")
            try write("broken: [", folder + "/conf.d/99.yaml.dpkg-old")
            try write("broken: [", folder + "/conf.d/.hidden.yaml")
            let settings = try SettingsFiles.load(path: folder + "/u.yaml", isRequired: true)
            #expect(settings.logLevel == .notice)
            #expect(settings.stateDirectory == "/a")
        }
    }

    @Test("a missing file is an error only where it was asked for")
    func missing() throws {
        try withFolder { folder in
            try write("log_level: debug", folder + "/conf.d/a.yaml")
            #expect(try SettingsFiles.load(path: folder + "/u.yaml", isRequired: false).logLevel == .debug)
            let found = issues(folder + "/u.yaml")
            #expect(found.map(\.file) == [folder + "/u.yaml"])
            #expect(found.first?.message.contains("cannot be read") == true)
        }
    }

    @Test("symbolic links are followed, as configuration management makes them")
    func links() throws {
        try withFolder { folder in
            try write("log_level: debug", folder + "/real")
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/u.yaml", withDestinationPath: "real")
            #expect(try SettingsFiles.load(path: folder + "/u.yaml", isRequired: true).logLevel == .debug)
        }
    }

    @Test("what cannot be read and what is wrong is told together")
    func together() throws {
        try withFolder { folder in
            try write("log_level: loud", folder + "/u.yaml")
            try FileManager.default.createDirectory(
                atPath: folder + "/conf.d/dir.yaml", withIntermediateDirectories: true)
            try write("", folder + "/conf.d/a.yml")
            try write(String(repeating: "#", count: 2 << 20), folder + "/conf.d/big.yaml")
            let found = issues(folder + "/u.yaml").map { String($0.file.dropFirst(folder.count)) }
            #expect(found.sorted() == ["/conf.d/a.yml", "/conf.d/big.yaml", "/conf.d/dir.yaml", "/u.yaml"])
        }
    }
}
