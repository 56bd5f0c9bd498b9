import Accounting
import Glibc
import Kernel
import Stores
import Synchronization
import UsageTestKit

extension FuzzTarget {
    /// A file of a Docker store.
    ///
    /// The first byte chooses the file; the rest is its content. Everything else of the store is right.
    static let docker = FuzzTarget(name: "docker") { bytes in
        var input = FuzzInput(bytes)
        let number = input.byte()
        try DamagedStore.shared.withLock { store in
            if store == nil { store = try DamagedStore() }
            try store?.check(number, content: Array(input.rest))
        }
    }
}

/// A right store in a directory of its own, one file of which at a time is replaced and put right again.
private final class DamagedStore: Sendable {
    static let shared = Mutex<DamagedStore?>(nil)

    private let root: String
    private let right: StoreFacts
    /// Files of each form that a reader takes, the sizes and ids of all layers among them.
    private let files: [String]
    /// Knows the store from its right files.
    private let reader: DockerReader

    init() throws {
        let directory = try ScratchDirectory("fuzz")
        removeAtExit(directory.path)
        var builder = try DockerStoreBuilder(root: directory("docker"))
        let content = LayerContent(files: [.init("bin/sh", size: 7001)])
        let base = try builder.build([BuildStep("ADD rootfs", content: content)], names: ["base:1"])
        let web = try builder.build(
            [BuildStep("COPY site", content: content), BuildStep("CMD web")], on: base.last, names: ["web:2"])
        let mounts = [MountFact(kind: .volume, name: "data", source: "/v/data/_data", destination: "/data")]
        let container = try builder.addContainer(named: "web-1", on: web.last, mounts: mounts)
        root = builder.root
        let layers = web.last?.layers ?? []
        let metadata = builder.metadata
        files =
            ["\(metadata)/repositories.json", "\(root)/containers/\(container.id)/config.v2.json"]
            + ["mount-id", "init-id", "parent"].map { "\(metadata)/layerdb/mounts/\(container.id)/\($0)" }
            + (web.last.map { ["\(metadata)/imagedb/content/sha256/\($0.id)"] } ?? [])
            + (web.last.map { ["\(metadata)/imagedb/metadata/sha256/\($0.id)/parent"] } ?? [])
            + layers.flatMap { id in
                ["diff", "parent", "cache-id", "size"].map { "\(metadata)/layerdb/sha256/\(id)/\($0)" }
            }
            + ["\(directory.path)/daemon.json"]
        reader = DockerReader(root: root)
        right = reader.read().facts
        try require(
            right.problems.isEmpty && Set(right.layers) == Set(builder.layers.values),
            "the store to begin with is right: \(right.problems)")
    }

    func check(_ number: Int, content: [UInt8]) throws {
        let file = files[number % files.count]
        // The lowest layer has no parent, and there is no daemon.json.
        let before = try? BoundedFile.read(path: file, limit: 1 << 20)
        try replace(file, with: content)
        if file.hasSuffix("/daemon.json") {
            try checkDetection(file)
        } else {
            try checkReadings(file)
        }
        if let before { try replace(file, with: before) } else { unlink(file) }
        guard !file.hasSuffix("/daemon.json") else { return }
        let facts = reader.read().facts
        try require(facts == right, "a file put right again makes the store right: \(facts.problems)")
    }

    private func checkReadings(_ file: String) throws {
        let known = reader.read().facts
        let fresh = DockerReader(root: root).read()
        try require(
            DockerReader(root: root).read().facts == fresh.facts, "equal files give equal facts")
        for facts in [known, fresh.facts] {
            try checkBounds(facts)
            try checkUnaffected(facts, by: file)
        }
        // Sums that do not fit, and layers that come and go.
        var ledger = Ledger()
        for facts in [right, known, fresh.facts] {
            for layer in ledger.update(facts).added {
                let measure = Measure(diskBytes: .max / 2, sizeBytes: .max / 2, inodes: .max / 2)
                ledger.record(
                    LayerKey(store: facts.store, id: layer.id), LayerMeasure(total: measure),
                    confidence: .exact)
            }
            _ = ledger.snapshot()
        }
    }

    private func checkBounds(_ facts: StoreFacts) throws {
        try require(Set(facts.layers.map(\.id)).count == facts.layers.count, "no layer stands twice")
        for layer in facts.layers {
            let names = layer.directory.dropFirst(root.count).split(separator: "/")
            try require(
                layer.directory.hasPrefix(root + "/overlay2/") && !names.contains("..")
                    && names.count == ([.inFlight, .orphan].contains(layer.kind) ? 2 : 3),
                "\(layer.directory) lies in the store")
            try require(layer.declaredSizeBytes ?? 0 >= 0, "a size is not negative")
        }
        for problem in facts.problems {
            try require(problem.path.hasPrefix(root), "\(problem.path) is of the store")
            try requirePrintable(problem.reason)
        }
    }

    /// What does not use the file stays as it is.
    private func checkUnaffected(_ facts: StoreFacts, by file: String) throws {
        let name = file.dropFirst(root.count)
        if name.hasPrefix("/containers/") || name.hasSuffix("/repositories.json")
            || name.contains("/imagedb/")
        {
            try require(facts.layers == right.layers, "the layers stay")
        }
        if name.hasPrefix("/containers/") || name.contains("/mounts/") {
            try require(facts.images == right.images, "the images stay")
        }
        if name.contains("/imagedb/") || name.hasSuffix("/repositories.json") {
            try require(facts.containers == right.containers, "the container stays")
        }
    }

    private func checkDetection(_ file: String) throws {
        let (path, problem) = StoreDetection.dockerDataRoot(daemonJSON: file)
        try require(path.hasPrefix("/"), "\(path.debugDescription) is absolute")
        if let problem { try requirePrintable(problem.reason) }
    }

    /// Puts a new file in the place, so that no reader can take it for the one before.
    private func replace(_ file: String, with bytes: [UInt8]) throws {
        let temporary = root + "/tmp/replacement"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count,
            rename(temporary, file) == 0
        else { throw FuzzFinding(description: "cannot write \(file): \(String(cString: strerror(errno)))") }
    }
}

private let scratch = Mutex("")

/// Removes the directory when the process ends, however many inputs it takes until then.
private func removeAtExit(_ path: String) {
    scratch.withLock { $0 = path }
    atexit {
        let path = scratch.withLock { $0 }
        _ = system("rm -rf '\(path)'")
    }
}
