import Testing
import UsageTestKit

extension EngineTests.Balance {
    /// What an engine can be told to remove.
    private struct Removable {
        /// As `reclaim` takes it.
        var name: String
        /// The containers without which the engine removes it.
        var users: [String] = []
        var command: [String]
    }

    @Test(
        "reclaim foretells what du loses when random sets are removed, on each of three engines, to the block",
        arguments: [UInt64.random(in: 0...UInt64.max)])
    func randomSets(seed: UInt64) async throws {
        print("random sets: seed \(seed)")
        let host = try await Host.make()
        do {
            var random = SeededGenerator(seed: seed)
            try await removeDockers(host, &random)
            try await removePodmans(host, &random)
            try await removeContainerds(host, &random)
        } catch {
            try? await host.remove()
            throw WaitFailure(description: "seed \(seed): \(error)")
        }
        try await host.remove()
    }

    /// Chooses sets until nothing is left.
    ///
    /// What something uses that stays is asked about too, and not removed.
    private func removeAll(
        _ all: [Removable], _ host: Host, of root: String, but excluded: [String],
        _ random: inout SeededGenerator, by remove: ([String]) async throws -> Void
    ) async throws {
        var left = all
        while !left.isEmpty {
            let chosen = left.shuffled(using: &random).prefix(Int.random(in: 1...5, using: &random))
            let staying = Set(left.map(\.name)).subtracting(chosen.map(\.name))
            let going = chosen.filter { staying.isDisjoint(with: $0.users) }
            try await host.reclaim(chosen.map(\.name), of: root, but: excluded) {
                // Containers, which nothing uses, go before what they use.
                for one in going where one.users.isEmpty { try await remove(one.command) }
                for one in going where !one.users.isEmpty { try await remove(one.command) }
            }
            left.removeAll { one in going.contains { $0.name == one.name } }
        }
    }

    private func removeDockers(_ host: Host, _ random: inout SeededGenerator) async throws {
        let engine = host.docker
        try await engine.docker("import", SmallRoot.tar(in: engine.directory), "small:1")
        let bases = try await engine.buildAtRandom(
            (0..<4).map { "d\($0):1" }, on: "small:1", &random)
        var all: [Removable] = []
        var users: [String: [String]] = [:]
        for index in 0..<3 {
            let image = bases.randomElement(using: &random) ?? "small:1"
            try await engine.docker(
                "run", "--name", "dc\(index)", "--network", "none", "-v", "dv\(index):/v", image, "sh", "-c",
                "seq 5000; seq 20000 > /v/n; seq \(index)00 > /w; rm -f /bin/ln")
            users[image, default: []].append("dc\(index)")
            all.append(Removable(name: "dc\(index)", command: ["rm", "dc\(index)"]))
            all.append(
                Removable(name: "dv\(index)", users: ["dc\(index)"], command: ["volume", "rm", "dv\(index)"]))
        }
        all += bases.dropFirst().map {
            Removable(name: $0, users: users[$0] ?? [], command: ["rmi", $0])
        }
        try await removeAll(all, host, of: engine.dataRoot, but: ["*.db"], &random) {
            try await engine.docker($0)
        }
    }

    private func removePodmans(_ host: Host, _ random: inout SeededGenerator) async throws {
        let engine = host.podman
        var bases = [PodmanEngine.base]
        for index in 0..<4 {
            let base = bases.randomElement(using: &random) ?? PodmanEngine.base
            try await engine.build(
                "p\(index):1", on: base, size: Int.random(in: 1...400_000, using: &random))
            bases.append("localhost/p\(index):1")
        }
        var all: [Removable] = []
        var users: [String: [String]] = [:]
        for index in 0..<3 {
            let image = bases.randomElement(using: &random) ?? PodmanEngine.base
            let size = Int.random(in: 1...200_000, using: &random)
            try await engine.start(
                "pc\(index)", image: image, options: ["--volume=pv\(index):/data"],
                script: "head -c \(size) /dev/zero > /data/f; head -c \(size) /dev/zero > /f")
            try await engine.podman("wait", "pc\(index)")
            users[image, default: []].append("pc\(index)")
            all.append(Removable(name: "pc\(index)", command: ["rm", "pc\(index)"]))
            all.append(
                Removable(name: "pv\(index)", users: ["pc\(index)"], command: ["volume", "rm", "pv\(index)"]))
        }
        all += bases.dropFirst().map {
            Removable(name: $0, users: users[$0] ?? [], command: ["rmi", $0])
        }
        // Of the whole store; each container has a config.json of its own.
        let lists = ["images.json", "*containers.json", "*layers.json", "libpod", "*.lock"]
        try await removeAll(all, host, of: engine.root, but: lists, &random) { try await engine.podman($0) }
    }

    private func removeContainerds(_ host: Host, _ random: inout SeededGenerator) async throws {
        let engine = host.containerd
        var images: [(name: String, layers: [[String: Int]])] = []
        for index in 0..<5 {
            // Those that begin alike share layers and blobs.
            let shared = (0..<Int.random(in: 0...3, using: &random)).map {
                ["shared\($0)": 100_000 * ($0 + 1)]
            }
            let own = ["own\(index)": Int.random(in: 1...300_000, using: &random)]
            images.append((name: "example.test/r\(index):1", layers: shared + [own]))
        }
        try await engine.ctr("images", "import", engine.archive(images))
        try await engine.collectGarbage()
        let all = images.map {
            Removable(name: $0.name, command: ["images", "rm", "--sync", $0.name])
        }
        try await removeAll(all, host, of: engine.root, but: ["*.db"], &random) { try await engine.ctr($0) }
    }
}
