import Foundation
import Testing
import Wire

/// What scripts rely on: the names and shapes of the contract.
@Suite("The JSON of the contract")
struct WireTests {
    private let container = Container(
        engine: "docker", root: "/var/lib/docker", id: "c1", name: "web", image: "nginx:1", state: .exact,
        diskBytes: 4096, sizeBytes: 10, virtualSizeBytes: 110, logBytes: 0, volumes: ["data"],
        growth: Growth(minute: 1, hour: 2, day: 3), running: true)

    private func object(_ value: some Encodable) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: WireCoding.encode(value)) as? [String: Any])
    }

    @Test("a status has every key that the contract names, a container's growth by its windows")
    func status() throws {
        let status = Status(
            time: WireCoding.timestamp(wallNanoseconds: 1_764_000_000_123_456_789), version: "1", exact: true,
            containers: [container])
        let json = try object(status)
        #expect(
            Set(json.keys).isSuperset(of: [
                "schema", "time", "exact", "sources", "filesystems", "totals", "images", "containers",
                "volumes", "orphans", "alerts",
            ]))
        #expect(json["schema"] as? Int == 1)
        #expect(json["time"] as? String == "2025-11-24T16:00:00.123Z")
        let totals = try #require(json["totals"] as? [String: Any])
        #expect(
            Set(totals.keys).isSuperset(of: [
                "image_layers", "containers", "logs", "volumes", "build_cache", "orphans",
            ]))
        let containers = try #require(json["containers"] as? [[String: Any]])
        let web = try #require(containers.first)
        #expect(
            Set(web.keys).isSuperset(of: [
                "engine", "id", "name", "image", "state", "disk_bytes", "size_bytes", "virtual_size_bytes",
                "log_bytes", "volumes", "growth",
            ]))
        #expect(web["growth"] as? [String: Int] == ["1m": 1, "1h": 2, "24h": 3])
        #expect(web["reason"] is NSNull, "absent values are null, so that a script finds the key")
    }

    @Test("what is not known of deleted but open files is null, and never 0")
    func deletedOpen() throws {
        let unknown = try object(container)
        #expect(unknown["deleted_open"] is NSNull)
        let attributed = try object(FileSystem.Attributed())
        #expect(attributed["deleted_open"] is NSNull)
        var known = container
        known.deletedOpen = DeletedOpen(
            diskBytes: 4096, sizeBytes: 5, count: 1,
            files: [
                DeletedOpen.File(
                    pid: 7, processes: 1, command: "sh", path: "/a", diskBytes: 4096, sizeBytes: 5)
            ])
        let json = try #require(try object(known)["deleted_open"] as? [String: Any])
        #expect(json["disk_bytes"] as? Int == 4096)
        let file = try #require((json["files"] as? [[String: Any]])?.first)
        #expect(Set(file.keys) == ["pid", "processes", "command", "path", "disk_bytes", "size_bytes"])
        #expect(try WireCoding.decode(Container.self, from: WireCoding.encode(known)) == known)
        let state = try object(DeletedOpenState(state: .atLeast, reason: "r", asOf: nil))
        #expect(state["state"] as? String == "at_least")
        #expect(Set(state.keys) == ["state", "reason", "as_of"])
    }

    @Test("an answer of a daemon that knows nothing of deleted but open files is read")
    func olderDaemon() throws {
        var text = String(decoding: try WireCoding.encode(container), as: UTF8.self)
        text = text.replacingOccurrences(of: #""deleted_open":null,"#, with: "")
        #expect(!text.contains("deleted_open"))
        #expect(try WireCoding.decode(Container.self, from: Data(text.utf8)) == container)
    }

    @Test("what is encoded is decoded to the same, and unknown keys are passed over")
    func roundTrip() throws {
        let data = try WireCoding.encode(container)
        #expect(try WireCoding.decode(Container.self, from: data) == container)
        let text = String(decoding: data, as: UTF8.self)
        let longer = Data(("{\"a_key_of_tomorrow\":[1]," + text.dropFirst()).utf8)
        #expect(try WireCoding.decode(Container.self, from: longer) == container)
        #expect(!text.contains("\n"))
    }

    @Test("an alert has the keys of the contract")
    func alert() throws {
        let alert = Alert(
            rule: "growth", severity: .critical, state: .firing, engine: "docker", root: "/r",
            container: "web",
            containerID: "c1", image: "nginx:1", valueBytes: 2, limitBytes: 1, windowSeconds: nil,
            since: "2025-11-24T16:00:00.000Z", message: "m", top: [PathGrowth(path: "/a", growthBytes: 2)])
        let json = try object(alert)
        #expect(
            Set(json.keys).isSuperset(of: [
                "rule", "severity", "state", "engine", "container", "container_id", "image", "value_bytes",
                "limit_bytes", "window_seconds", "since", "message", "top",
            ]))
        #expect((json["top"] as? [[String: Any]])?.first?["growth_bytes"] as? Int == 2)
        #expect(json["severity"] as? String == "critical")
    }
}
