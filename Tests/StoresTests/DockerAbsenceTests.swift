import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("A data root that is no overlay2 store")
struct DockerAbsenceTests {
    final class EmptyRoot {
        let path = NSTemporaryDirectory() + "usaged-root-\(UUID().uuidString)"

        init(_ directories: [String] = []) throws {
            for directory in [""] + directories {
                try FileManager.default.createDirectory(
                    atPath: "\(path)/\(directory)", withIntermediateDirectories: true)
            }
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("a root that does not exist says what to do and is watched for from above")
    func missingRoot() throws {
        let root = try EmptyRoot()
        let reading = DockerReader(root: root.path + "/no/docker").read()
        #expect(reading.facts.problems.map(\.severity) == [.unreadable])
        #expect(reading.facts.problems.first?.object == .store)
        #expect(reading.facts.problems.first?.reason.contains("--store docker=PATH") == true)
        #expect(
            reading.directories.map { ($0 as NSString).lastPathComponent } == [
                (root.path as NSString).lastPathComponent
            ])
    }

    @Test("a file in place of the root is unreadable")
    func fileAsRoot() throws {
        let root = try EmptyRoot()
        try Data().write(to: URL(fileURLWithPath: root.path + "/file"))
        let reading = DockerReader(root: root.path + "/file").read()
        #expect(reading.facts.problems.map(\.severity) == [.unreadable])
    }

    @Test(
        "a fresh root is an empty store and is watched",
        arguments: [
            [], ["image"], ["containers", "overlay2/l"],
            ["containerd/daemon/io.containerd.snapshotter.v1.overlayfs"],
        ])
    func freshRoot(directories: [String]) throws {
        let root = try EmptyRoot(directories)
        let reader = DockerReader(root: root.path)
        let reading = reader.read()
        #expect(reading.facts == StoreFacts(store: reader.identity))
        #expect(reading.directories.contains(reader.identity.root))
    }

    @Test(
        "another driver is named",
        arguments: [
            (["image/zfs"], "zfs"), (["image/aufs", "aufs/diff"], "aufs"),
            (["rootfs/overlayfs"], "overlayfs"), (["buildkit/containerd-stargz"], "stargz of containerd"),
        ])
    func otherDriver(directories: [String], name: String) throws {
        let root = try EmptyRoot(directories)
        let problems = DockerReader(root: root.path).read().facts.problems
        #expect(problems.map(\.severity) == [.unreadable])
        #expect(problems.first?.reason.contains(name) == true)
    }

    @Test(
        "the driver is found by what an engine keeps of it",
        arguments: ["overlay2", "fuse-overlayfs", "btrfs", "vfs"])
    func findsDriver(name: String) throws {
        let root = try EmptyRoot(["image/\(name)/layerdb/sha256"])
        let reader = DockerReader(root: root.path)
        #expect(reader.identity.driver == name)
        #expect(reader.read().facts.problems.isEmpty)
    }

    @Test("an engine that changes to another driver makes the store unreadable, and a new reader reads it")
    func changesDriver() throws {
        let sandbox = try StoreSandbox.small()
        let reader = sandbox.reader()
        #expect(reader.read().facts.problems.isEmpty)
        // The engine makes all of it anew, later than what it leaves behind.
        let other = try DockerStoreBuilder(root: sandbox.root, seed: 9, driver: "vfs")
        let newest = try FileManager.default.attributesOfItem(atPath: other.metadata)[.modificationDate]
        try #require(newest != nil)
        let problems = reader.read().facts.problems
        #expect(problems.map(\.severity) == [.unreadable])
        #expect(problems.first?.reason.contains("'vfs'") == true)
        #expect(reader.identity.driver == "overlay2")
        let again = sandbox.reader()
        #expect(again.identity.driver == "vfs")
        #expect(again.read().facts.images.isEmpty)
        #expect(StoreConformance.flaws(of: again.read().facts).isEmpty)
    }

    @Test("layers without any metadata are unreadable, not nothing")
    func metadataGone() throws {
        let sandbox = try StoreSandbox.small()
        try sandbox.remove(sandbox.root + "/image")
        let problems = sandbox.reader().read().facts.problems
        #expect(problems.map(\.severity) == [.unreadable])
        #expect(problems.first?.reason.contains("metadata is gone") == true)
    }

    @Test("a store that appears is read by the same reader")
    func appears() throws {
        let root = try EmptyRoot()
        let path = root.path + "/docker"
        let reader = DockerReader(root: path)
        #expect(reader.read().facts.problems.count == 1)
        let sandbox = try StoreSandbox.small()
        try FileManager.default.moveItem(atPath: sandbox.root, toPath: path)
        let facts = reader.read().facts
        #expect(facts.problems.isEmpty)
        #expect(facts.images.count == sandbox.store.images.count)
    }
}
