public import Accounting
public import Kernel

/// One instruction of a build.
public struct BuildStep: Sendable {
    public var instruction: String
    public var comment: String?
    /// What it wrote; `nil` for a step that makes no layer.
    public var content: LayerContent?
    /// The first digits of the id of the image that it makes.
    public var idPrefix: String

    public init(
        _ instruction: String, content: LayerContent? = nil, comment: String? = nil, idPrefix: String = ""
    ) {
        self.instruction = instruction
        self.comment = comment
        self.content = content
        self.idPrefix = idPrefix
    }
}

extension DockerStoreBuilder {
    /// Builds as the classic builder does: each step becomes an image on the one before; the last has the names.
    ///
    /// Returns the images, the last of which is the whole.
    @discardableResult
    public mutating func build(
        _ steps: [BuildStep], on base: ImageFact? = nil, names: [String]
    ) throws(KernelError) -> [ImageFact] {
        var made: [ImageFact] = []
        for (index, step) in steps.enumerated() {
            let below = made.last ?? base
            var chain = below?.layers ?? []
            var layer: String?
            if let content = step.content {
                layer = try addLayer(content, on: chain.last).id
                chain += layer.map { [$0] } ?? []
            }
            let count = (below?.history.count ?? 0) % 60
            let time = "2015-02-20T10:\(count < 10 ? "0" : "")\(count):00.5Z"
            let history = HistoryStep(
                instruction: step.instruction, created: time, comment: step.comment, layer: layer)
            made.append(
                try addImage(
                    names: index == steps.count - 1 ? names : [], layers: chain,
                    history: (below?.history ?? []) + [history], parent: below?.id,
                    idPrefix: step.idPrefix))
        }
        return made
    }

    /// Adds an image of layers that are there.
    @discardableResult
    public mutating func addImage(
        names: [String], layers chain: [String], history: [HistoryStep], parent: String? = nil,
        idPrefix: String = ""
    ) throws(KernelError) -> ImageFact {
        let id = newID(prefix: idPrefix)
        let config = DockerJSON.Config(
            created: history.last?.created,
            history: history.map { step in
                DockerJSON.Config.History(
                    created: step.created, created_by: step.instruction, comment: step.comment,
                    empty_layer: step.layer == nil ? true : nil)
            },
            rootfs: DockerJSON.Config.RootFS(
                diff_ids: chain.map { "sha256:\(layers[$0]?.diffID ?? "")" }))
        let content = "\(metadata)/imagedb/content/sha256"
        try StoreFiles.replace(
            "\(content)/\(id)", with: DockerJSON.text(config), temporary: "\(content)/.tmp-\(id.prefix(9))")
        if let parent {
            let directory = "\(metadata)/imagedb/metadata/sha256/\(id)"
            try StoreFiles.makeDirectory(directory)
            try StoreFiles.write("sha256:\(parent)", to: directory + "/parent")
        }
        let image = ImageFact(
            id: id, names: names.sorted(), parent: parent, layers: chain, history: history,
            created: history.last?.created, architecture: config.architecture, os: config.os,
            metadata: ["content", "metadata"].map { "image/\(driver)/imagedb/\($0)/sha256/\(id)" })
        images[id] = image
        if !names.isEmpty { try writeRepositories() }
        return image
    }

    /// Gives an image other names.
    public mutating func rename(image id: String, to names: [String]) throws(KernelError) {
        images[id]?.names = names.sorted()
        try writeRepositories()
    }

    /// Removes an image and the layers that nothing else uses.
    public mutating func removeImage(_ id: String) throws(KernelError) {
        guard let image = images.removeValue(forKey: id) else { return }
        try writeRepositories()
        try StoreFiles.remove("\(metadata)/imagedb/metadata/sha256/\(id)")
        try StoreFiles.remove("\(metadata)/imagedb/content/sha256/\(id)")
        let used = Set(images.values.flatMap(\.layers) + containers.values.flatMap(\.chain))
        for layer in image.layers.reversed() where !used.contains(layer) { try removeLayer(layer) }
    }

    /// The image with a name (`:latest` may be left out) or with an id that begins so.
    public func image(_ reference: String) -> ImageFact? {
        let wanted = [reference, reference + ":latest"]
        if let named = images.values.first(where: { $0.names.contains(where: wanted.contains) }) {
            return named
        }
        let matches = images.values.filter { $0.id.hasPrefix(reference) }
        return reference.isEmpty || matches.count != 1 ? nil : matches.first
    }

    mutating func writeRepositories() throws(KernelError) {
        guard dueLists?.insert(.repositories) == nil else { return }
        var repositories: [String: [String: String]] = [:]
        for image in images.values {
            for name in image.names {
                let repository = name.lastIndex(of: ":").map { String(name[..<$0]) } ?? name
                repositories[repository, default: [:]][name] = "sha256:\(image.id)"
            }
        }
        let text = DockerJSON.text(DockerJSON.Repositories(Repositories: repositories))
        try StoreFiles.replace(
            "\(metadata)/repositories.json", with: text, temporary: "\(metadata)/.tmp-repositories.json")
    }
}
