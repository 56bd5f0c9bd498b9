import Accounting
import Foundation
import Testing

@testable import Stores

@Suite("Finding stores of containers-storage")
struct ContainersStorageDetectionTests {
    private let root: DockerAbsenceTests.EmptyRoot

    init() throws {
        root = try DockerAbsenceTests.EmptyRoot(["default", "run"])
    }

    private func write(_ text: String, to name: String) throws {
        let url = URL(fileURLWithPath: "\(root.path)/\(name)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(root.path)/\(name)", withIntermediateDirectories: true)
    }

    private var detection: ContainersStorageDetection {
        ContainersStorageDetection(
            configurations: ["\(root.path)/etc.conf", "\(root.path)/usr.conf"],
            defaultRoot: root.path + "/default", defaultRunRoot: root.path + "/run",
            passwd: root.path + "/passwd", runtimeDirectories: root.path + "/run-user")
    }

    private func found() -> [String] {
        let (locations, problems) = ContainersStorageDetection.locations(detection)
        #expect(problems.isEmpty, "\(problems)")
        return locations.map { $0.path.replacing(root.path + "/", with: "") }
    }

    @Test("without any file the default place counts if it is there")
    func defaultPlace() throws {
        #expect(found() == ["default"])
        try FileManager.default.removeItem(atPath: root.path + "/default")
        #expect(found() == [])
    }

    @Test("the first file that is there is the one; a root that it sets is missed, the default one is not")
    func configured() throws {
        try write("[storage]\ngraphroot = \"\(root.path)/usr\"", to: "usr.conf")
        #expect(found() == ["usr"])
        try write("[storage]\ndriver = \"overlay\"", to: "etc.conf")
        #expect(found() == ["default"])
        try FileManager.default.removeItem(atPath: root.path + "/default")
        #expect(found() == [])
    }

    @Test("stores that are read from are found too, where they are, and once")
    func otherStores() throws {
        try makeDirectory("images")
        try makeDirectory("shared")
        try makeDirectory("default/inner")
        try write(
            """
            [storage]
            runroot = "/r"
            imagestore = "\(root.path)/images"
            [storage.options]
            additionalimagestores = ["\(root.path)/shared", "\(root.path)/shared/", "\(root.path)/none",
                "relative", "\(root.path)/default/inner"]
            """, to: "etc.conf")
        #expect(found() == ["default", "images", "shared"])
        let surroundings = detection.surroundings(of: root.path + "/default/")
        #expect(surroundings.runRoots == ["/r"])
        #expect(surroundings.otherStores.prefix(2) == ["\(root.path)/images", "\(root.path)/shared"])
        #expect(detection.surroundings(of: "/elsewhere") == ContainersStorageSurroundings())
    }

    @Test("a file that is no TOML is told, and the default place is taken", arguments: ["[storage", "\u{0}"])
    func badFile(text: String) throws {
        try write(text, to: "etc.conf")
        let (locations, problems) = ContainersStorageDetection.locations(detection)
        #expect(locations.map(\.path) == [root.path + "/default"])
        #expect(problems.map(\.path) == [root.path + "/etc.conf"])
        #expect(problems.first?.severity == .damaged)
        #expect(problems.first?.reason.contains("--store containers-storage=PATH") == true)
    }

    @Test("a root that is no absolute path is told")
    func relativeRoot() throws {
        try write("[storage]\ngraphroot = \"here\"", to: "etc.conf")
        let (locations, problems) = ContainersStorageDetection.locations(detection)
        #expect(locations.isEmpty)
        #expect(problems.count == 1)
    }

    @Test("each user's store is found: the default one, or where a configuration has it")
    func users() throws {
        let uid = getuid()
        // Root's own is the store of the host.
        try #require(uid == 0, "needs root to make files of other users")
        for (name, uid) in [("anna", 4001), ("ben", 4002), ("carl", 4003)] {
            try makeDirectory("home/\(name)/.local/share/containers/storage")
            try makeDirectory("srv/\(name)-\(uid)")
            for path in ["home/\(name)/.local/share/containers/storage", "srv/\(name)-\(uid)"] {
                #expect(chown("\(root.path)/\(path)", uid_t(uid), 100) == 0)
            }
        }
        try write(
            """
            root:x:0:0::\(root.path)/home/anna/x:/bin/sh
            anna:x:4001:100::\(root.path)/home/anna:/bin/sh
            ben:x:4002:100::\(root.path)/home/ben:/bin/sh
            carl:x:4003:100::\(root.path)/home/carl:/bin/sh
            nobody:x:65534:65534::/nonexistent:/bin/false
            broken
            dora:x:many:1::/home:/bin/sh

            """, to: "passwd")
        let standard = "/.local/share/containers/storage"
        #expect(
            found() == ["default", "home/anna" + standard, "home/ben" + standard, "home/carl" + standard])
        try write(
            "[storage]\nrootless_storage_path = \"\(root.path)/srv/${USER}-$UID\"", to: "etc.conf")
        #expect(found() == ["default", "srv/anna-4001", "srv/ben-4002", "srv/carl-4003"])
        // A user's own file goes before the administrator's, and leads to nothing but the user's own.
        try write(
            "[storage]\ngraphroot = \"$HOME\(standard)\"", to: "home/ben/.config/containers/storage.conf")
        try write(
            "[storage]\ngraphroot = \"\(root.path)/srv/anna-4001\"",
            to: "home/carl/.config/containers/storage.conf")
        #expect(found() == ["default", "srv/anna-4001", "home/ben" + standard])
        let surroundings = detection.surroundings(of: root.path + "/home/ben" + standard)
        #expect(surroundings.runRoots == ["\(root.path)/run-user/4002/containers"])
    }

    @Test("a variable is replaced wherever it stands, and what is none stays or goes as in a shell")
    func expansion() {
        let user = UserAccount(name: "u", uid: 7, home: "/h")
        #expect(user.expand("$HOME/x$UID.${USER}y") == "/h/x7.uy")
        #expect(user.expand("$OTHER/a$") == "/a$")
        #expect(user.expand("${HOME") == "${HOME")
        #expect(user.expand("plain") == "plain")
    }
}
