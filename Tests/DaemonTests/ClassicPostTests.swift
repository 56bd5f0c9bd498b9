import Foundation
import Testing
import UsageTestKit
import Wire

/// Docker 1.x wrote the post's store; what it printed of that is what the daemon shows.
@Suite("the post's own store, in the classic layout")
struct ClassicPostTests {
    @Test("history, tree and inspect are the post's to the byte, and each byte of the root is in one class")
    func figures() async throws {
        try await withScratch { scratch in
            let root = scratch("docker")
            _ = try ClassicStoreBuilder.layersPost(root: root)
            try await DiskUsage.sync(root)
            try await withDaemon(["docker-classic=\(root)"], configuration: "") { daemon in
                let query = daemon.query
                let status = try await query.exactStatus()

                // Row 3: the steps' sum is the image's virtual size. Row 10: the base's own steps are among them.
                let web = try await query.client(ImageDetail.self, "history", "zigiweb:latest")
                #expect(web.history.map(\.sizeBytes).reduce(0, +) == 227_877_825)
                #expect(web.history.last?.runningSizeBytes == 227_877_825)
                #expect(web.history.count == 12)
                #expect(web.history[3].runningSizeBytes == 188_304_295)
                #expect(web.history.prefix(4).contains { $0.sizeBytes > 0 })

                // Row 7.
                let base = try await query.client(ImageDetail.self, "history", "ubuntu:14.04").image
                #expect(base.virtualSizeBytes == 188_304_295 && base.sizeBytes == 0)
                #expect(base.parent != nil)
                // Row 8.
                #expect(web.image.id.hasPrefix("5242") && web.image.sizeBytes == 0)
                #expect(web.image.virtualSizeBytes == 227_877_825)
                #expect(web.parents.prefix(2).map { $0.prefix(4) } == ["d374", "0a5a"])
                // Row 9.
                let line = try await query.client(ImageDetail.self, "history", "8aaf98371fcb").image
                #expect(line.sizeBytes == 1615)

                // Row 4: one branch, each image with what is up to it.
                var node = try #require(try await query.client(Tree.self, "tree").roots.first)
                var sum = node.sizeBytes
                while let child = node.children.first {
                    #expect(node.children.count == 1)
                    node = child
                    sum += node.sizeBytes
                    #expect(node.virtualSizeBytes == sum)
                }
                #expect(node.names == ["zigiweb:latest"] && sum == 227_877_825)
                let text = try await query.client(["tree"]).out
                #expect(text.contains("Virtual Size: 188.3 MB") && text.contains("Virtual Size: 227.9 MB"))

                let system = try #require(status.filesystems.first)
                let attributed = system.attributed.sum - (system.attributed.deletedOpen ?? 0)
                #expect(attributed == (try await DiskUsage.du(root)))
            }
        }
    }
}
