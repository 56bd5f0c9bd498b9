/// Which containers a rule is about: those for which every pattern given matches.
public struct AlertMatch: Hashable, Sendable {
    public var engine: Glob?
    /// The container's name.
    public var name: Glob?
    /// A name of the image, with or without the tag `latest`, or the name that the container was made from.
    public var image: Glob?
    /// By the label's name; a container without the label does not match.
    public var labels: [String: Glob]

    public init(engine: Glob? = nil, name: Glob? = nil, image: Glob? = nil, labels: [String: Glob] = [:]) {
        self.engine = engine
        self.name = name
        self.image = image
        self.labels = labels
    }

    public func matches(_ container: ContainerUsage) -> Bool {
        if let engine, !engine.matches(container.store.engine) { return false }
        if let name, !name.matches(container.fact.name) { return false }
        if let image, !Self.imageNames(of: container).contains(where: image.matches) { return false }
        return labels.allSatisfy { label, pattern in
            container.fact.labels[label].map(pattern.matches) ?? false
        }
    }

    private static func imageNames(of container: ContainerUsage) -> [String] {
        let names = [container.image] + (container.fact.imageName.map { [$0] } ?? [])
        let latest = ":latest"
        return names + names.filter { $0.hasSuffix(latest) }.map { String($0.dropLast(latest.count)) }
    }
}
