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
        let reading = DockerOverlay2Reader(root: root.path + "/no/docker").read()
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
        let reading = DockerOverlay2Reader(root: root.path + "/file").read()
        #expect(reading.facts.problems.map(\.severity) == [.unreadable])
    }

    @Test(
        "a fresh root is an empty store and is watched",
        arguments: [[], ["image"], ["containers", "overlay2/l"]])
    func freshRoot(directories: [String]) throws {
        let root = try EmptyRoot(directories)
        let reader = DockerOverlay2Reader(root: root.path)
        let reading = reader.read()
        #expect(reading.facts == StoreFacts(store: reader.identity))
        #expect(reading.directories.contains(reader.identity.root))
    }

    @Test(
        "another driver is named",
        arguments: [
            (["image/btrfs"], "btrfs"), (["image/vfs", "vfs/dir"], "vfs"),
            (["containerd/daemon/io.containerd.snapshotter.v1.overlayfs"], "containerd"),
            (["rootfs/overlayfs"], "containerd"),
        ])
    func otherDriver(directories: [String], name: String) throws {
        let root = try EmptyRoot(directories)
        let problems = DockerOverlay2Reader(root: root.path).read().facts.problems
        #expect(problems.map(\.severity) == [.unreadable])
        #expect(problems.first?.reason.contains(name) == true)
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
        let reader = DockerOverlay2Reader(root: path)
        #expect(reader.read().facts.problems.count == 1)
        let sandbox = try StoreSandbox.small()
        try FileManager.default.moveItem(atPath: sandbox.root, toPath: path)
        let facts = reader.read().facts
        #expect(facts.problems.isEmpty)
        #expect(facts.images.count == sandbox.store.images.count)
    }
}
