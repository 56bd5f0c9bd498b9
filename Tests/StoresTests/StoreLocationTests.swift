import Accounting
import Foundation
import Stores
import Testing

@Suite("Naming and finding stores")
struct StoreLocationTests {
    @Test("KIND=PATH names a store", arguments: StoreKind.allCases)
    func parses(kind: StoreKind) throws {
        let location = try StoreLocation(parsing: "\(kind.rawValue)=/a=b")
        #expect(location == StoreLocation(kind: kind, path: "/a=b"))
    }

    @Test(
        "a wrong argument is quoted, and the kinds are told",
        arguments: ["docker", "dokcer=/x", "docker=", "=", ""])
    func refuses(argument: String) throws {
        let error = #expect(throws: StoreLocationError.self) { try StoreLocation(parsing: argument) }
        let text = try #require(error.map { "\($0)" })
        #expect(text.contains("'\(argument)'"))
        #expect(
            text.contains(
                "KIND is docker, docker-classic, containers-storage, containerd or plain"))
        #expect(StoreKind.allCases.allSatisfy { text.contains($0.rawValue) })
    }

    @Test(
        "the data root is the one that daemon.json gives",
        arguments: [
            (#"{"data-root":"/srv/docker"}"#, "/srv/docker"), (#"{"graph":"/old"}"#, "/old"),
            (#"{"data-root":"/new","graph":"/old"}"#, "/new"), (#"{"debug":true}"#, "/var/lib/docker"),
            ("", "/var/lib/docker"), (" \n", "/var/lib/docker"),
        ])
    func readsDaemonJSON(text: String, expected: String) throws {
        let root = try DockerAbsenceTests.EmptyRoot()
        let file = root.path + "/daemon.json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let (path, problem) = StoreDetection.dockerDataRoot(daemonJSON: file)
        #expect(path == expected)
        #expect(problem == nil)
    }

    @Test(
        "a daemon.json that cannot be used is a problem, and the default is taken",
        arguments: ["{", "nonsense", "[]", #"{"data-root":5}"#, #"{"data-root":"relative"}"#])
    func badDaemonJSON(text: String) throws {
        let root = try DockerAbsenceTests.EmptyRoot()
        let file = root.path + "/daemon.json"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let (path, problem) = StoreDetection.dockerDataRoot(daemonJSON: file)
        #expect(path == "/var/lib/docker")
        #expect(problem?.path == file)
        #expect(problem?.reason.contains("--store docker=PATH") == true)
    }

    @Test("no daemon.json is no problem")
    func noDaemonJSON() {
        let (path, problem) = StoreDetection.dockerDataRoot(daemonJSON: "/nonexistent/daemon.json")
        #expect(path == "/var/lib/docker")
        #expect(problem == nil)
    }

    @Test("an engine that maps user ids has a store for each mapping")
    func mappedRoots() throws {
        let root = try DockerAbsenceTests.EmptyRoot(["231072.231072/image", "1.x/image", "7.7"])
        let file = root.path + "/daemon.json"
        try Data(#"{"data-root":"\#(root.path)"}"#.utf8).write(to: URL(fileURLWithPath: file))
        let found = StoreDetection.locations(daemonJSON: file, containersStorage: nil, containerd: nil)
        #expect(found.locations == [StoreLocation(kind: .docker, path: root.path + "/231072.231072")])
        #expect(found.problems.isEmpty)
    }

    @Test("of stores that overlap the inner one is named, and of two that are one the later")
    func overlaps() throws {
        let root = try DockerAbsenceTests.EmptyRoot(["d/overlay2", "d/165536.165536", "d-2", "p/sub"])
        try FileManager.default.createSymbolicLink(
            atPath: "\(root.path)/link", withDestinationPath: "\(root.path)/p/sub")
        func refused(_ arguments: String...) throws -> [String] {
            let locations = try arguments.map {
                try StoreLocation(parsing: $0.replacing("=", with: "=\(root.path)/"))
            }
            return Stores.overlaps(locations).map {
                "\($0.location) \($0.other) \($0.kind)".replacing("\(root.path)/", with: "")
            }
        }
        #expect(try refused("docker=d", "docker=d-2", "plain=p", "docker=d/165536.165536").isEmpty)
        #expect(try refused("plain=d/overlay2", "docker=d") == ["plain=d/overlay2 docker=d inside"])
        #expect(try refused("docker=d", "docker=d/overlay2") == ["docker=d/overlay2 docker=d inside"])
        #expect(try refused("docker=d/165536.165536", "plain=d") == ["docker=d/165536.165536 plain=d inside"])
        #expect(try refused("plain=p/", "docker=p") == ["docker=p plain=p/ same"])
        #expect(try refused("plain=link", "plain=p") == ["plain=link plain=p inside"])
        #expect(try refused("plain=p/sub", "plain=link") == ["plain=link plain=p/sub same"])
        #expect(try refused("plain=none/a", "plain=none") == ["plain=none/a plain=none inside"])
    }
}
