import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("Pods in containerd's store")
struct ContainerdPodTests {
    static func labels(_ container: String?, pod: String = "web-0", uid: String = "uid-1") -> [String: String]
    {
        var labels = [
            "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": pod,
            "io.kubernetes.pod.uid": uid,
        ]
        if let container { labels["io.kubernetes.container.name"] = container }
        return labels
    }

    @Test("a container has its pod's name, log and volumes; one in memory is none")
    func pod() throws {
        let (sandbox, base, _) = try ContainerdSandbox.small()
        let logs = sandbox.directory + "/pod-logs/shop_web-0_uid-1/app"
        let volumes = sandbox.directory + "/pods/uid-1/volumes/kubernetes.io~empty-dir"
        for path in [logs, volumes + "/cache", volumes + "/shm"] { try sandbox.makeDirectory(path) }
        try Data(repeating: 1, count: 9000).write(to: URL(fileURLWithPath: logs + "/0.log"))
        let isRoot = geteuid() == 0 && mount("tmpfs", volumes + "/shm", "tmpfs", 0, nil) == 0
        defer { if isRoot { umount2(volumes + "/shm", Int32(MNT_DETACH)) } }
        try sandbox.store.addContainer(
            "0123", image: "base:1", on: base.chains[0], labels: Self.labels("app"),
            mounts:
                #"[{"type":"bind","source":"\#(volumes)/cache","destination":"/cache","options":["rbind"]}]"#)
        try sandbox.store.addContainer("4567", on: base.chains[0], labels: Self.labels(nil))
        try sandbox.store.commit()
        let reading = sandbox.reader().read()
        let facts = reading.facts
        #expect(facts.problems.isEmpty && StoreConformance.flaws(of: facts).isEmpty)
        #expect(Set(facts.containers.map(\.name)) == ["job", "shop/web-0/app", "shop/web-0"])
        let container = try #require(facts.containers.first { $0.id == "0123" })
        #expect(container.trees == ["log:shop_web-0_uid-1/app"] && container.logPath == logs)
        #expect(
            container.mounts == [
                MountFact(
                    kind: .volume, name: "shop/web-0/cache", source: volumes + "/cache", destination: "/cache"
                )
            ])
        #expect(facts.trees.first { $0.kind == .log }?.directory == logs)
        #expect(
            facts.volumes.map(\.name) == ["shop/web-0/cache"] + (isRoot ? [] : ["shop/web-0/shm"]))
        #expect(facts.volumes.first?.driver == "empty-dir")
        #expect(container.metadata.contains("io.containerd.grpc.v1.cri/containers/0123"))
        #expect(reading.directories.contains(sandbox.directory + "/pod-logs/shop_web-0_uid-1"))
        #expect(reading.directories.contains(volumes))
    }

    @Test("containers that follow each other in a pod have one log, which is the newest one's")
    func restarted() throws {
        let sandbox = try ContainerdSandbox()
        try sandbox.makeDirectory(sandbox.directory + "/pod-logs/shop_web-0_uid-1/app")
        try sandbox.store.addContainer("a", labels: Self.labels("app"))
        try sandbox.store.addContainer("b", labels: Self.labels("app"))
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.trees.count == 1)
        #expect(facts.containers.map(\.trees.count).sorted() == [0, 1])
    }

    @Test("volumes that images asked for are volumes without a name of their own")
    func imageVolumes() throws {
        let sandbox = try ContainerdSandbox()
        let path = sandbox.store.root + "/io.containerd.grpc.v1.cri/containers/a/volumes/f00d"
        try sandbox.makeDirectory(path)
        try sandbox.store.addContainer(
            "a", labels: Self.labels("app"),
            mounts: #"[{"type":"bind","source":"\#(path)","destination":"/data","options":["rbind"]}]"#)
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(StoreConformance.flaws(of: facts).isEmpty, "\(StoreConformance.flaws(of: facts))")
        #expect(facts.volumes.map(\.name) == ["f00d"] && facts.volumes.first?.isAnonymous == true)
        #expect(facts.containers.first?.mounts.map(\.name) == ["f00d"])
    }

    @Test(
        "labels that would lead out of the pods' directories lead nowhere",
        arguments: ["..", "../..", "a/b", ""])
    func hostileLabels(uid: String) throws {
        let sandbox = try ContainerdSandbox()
        try sandbox.makeDirectory(sandbox.directory + "/pod-logs/x")
        try sandbox.makeDirectory(sandbox.directory + "/pods/volumes/kubernetes.io~empty-dir/v")
        try sandbox.makeDirectory(sandbox.directory + "/volumes/kubernetes.io~empty-dir/v")
        try sandbox.store.addContainer("a", labels: Self.labels("../..", pod: "../p", uid: uid))
        try sandbox.store.commit()
        let facts = sandbox.reader().read().facts
        #expect(facts.trees.isEmpty && facts.volumes.isEmpty && facts.containers.count == 1)
    }
}
