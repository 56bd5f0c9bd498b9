import Accounting
import Foundation
import Stores
import Testing
import UsageTestKit

@Suite("The store of the layers post")
struct LayersPostTests {
    @Test("its figures are the post's")
    func figures() throws {
        let root = NSTemporaryDirectory() + "usaged-post-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let store = try DockerStoreBuilder.layersPost(root: root)
        let facts = DockerReader(root: root).read().facts
        #expect(facts.inOrder == store.facts)

        let sizes = Dictionary(
            uniqueKeysWithValues: facts.layers.map { ($0.id, Int($0.declaredSizeBytes ?? -1)) })
        func virtual(_ image: ImageFact) -> Int { image.layers.compactMap { sizes[$0] }.reduce(0, +) }
        let base = try #require(facts.images.first { $0.names == [LayersPost.baseName] })
        let web = try #require(facts.images.first { $0.names == [LayersPost.webName] })
        #expect(virtual(base) == 188_304_295)
        #expect(virtual(web) == 227_877_825)
        // Fourth from the bottom in the history.
        #expect(web.history.map(\.instruction)[3] == base.history.last?.instruction)
        #expect(base.history.last?.layer == nil)
        let line = try #require(facts.images.first { $0.id.hasPrefix(LayersPost.appendedID) })
        #expect(sizes[line.layers.last ?? ""] == 1615)

        // Parent by parent down to the first step.
        var chain: [ImageFact] = [web]
        while let parent = chain.last?.parent, let image = facts.images.first(where: { $0.id == parent }) {
            chain.append(image)
        }
        #expect(chain.count == web.history.count)
        #expect(chain.contains(base))
        #expect(chain.dropFirst().prefix(2).map { $0.id.prefix(4) } == ["d374", "0a5a"])

        for layer in facts.layers {
            #expect(sizeOfFiles(below: layer.directory) == sizes[layer.id])
        }
    }

    private func sizeOfFiles(below directory: String) -> Int {
        var sum = 0
        let walk = FileManager.default.enumerator(atPath: directory)
        while let path = walk?.nextObject() as? String {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(path)")
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            sum += attributes?[.size] as? Int ?? 0
        }
        return sum
    }
}
