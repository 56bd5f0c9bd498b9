public import Accounting

/// Where to look for the stores of containerd.
public struct ContainerdDetection: Hashable, Sendable {
    /// A root and where its engine has its state.
    public struct Place: Hashable, Sendable {
        public var root: String
        public var state: String

        public init(root: String, state: String) {
            self.root = root
            self.state = state
        }
    }

    /// The engine's configuration.
    public var configuration: String
    /// Where it is without one, and where distributions of Kubernetes bring their own.
    public var places: [Place]

    public init(
        configuration: String = "/etc/containerd/config.toml", places: [Place] = ContainerdDetection.places
    ) {
        self.configuration = configuration
        self.places = places
    }

    public static let places = [
        Place(root: ContainerdReader.defaultRoot, state: ContainerdReader.defaultState),
        Place(root: "/var/lib/rancher/k3s/agent/containerd", state: "/run/k3s/containerd"),
        Place(root: "/var/lib/rancher/rke2/agent/containerd", state: "/run/k3s/containerd"),
    ]

    /// The stores of this host: the root that the configuration names, and the other places that are there.
    ///
    /// A configuration that does not exist is no problem; one that cannot be used is, and the default is taken.
    public func locations() -> (locations: [StoreLocation], problems: [StoreProblem]) {
        var roots: [String] = []
        var problems: [StoreProblem] = []
        do throws(MetadataFault) {
            if let root = try configured().root { roots.append(root) }
        } catch {
            var problem = error.problem(of: .store)
            problem.reason +=
                "; \(ContainerdReader.defaultRoot) is taken, give --store containerd=PATH for another"
            problems.append(problem)
        }
        // One that the configuration replaces may have been left behind, and takes its room all the same.
        roots += places.map(\.root).filter(AbsolutePath.isDirectory)
        return (roots.uniqued().map { StoreLocation(kind: .containerd, path: $0) }, problems)
    }

    /// Where the engine of the store at `root` has its state.
    public func state(of root: String) -> String {
        let root = AbsolutePath.resolve(root)
        if let configured = try? configured(), let state = configured.state,
            AbsolutePath.resolve(configured.root ?? ContainerdReader.defaultRoot) == root
        {
            return state
        }
        return places.first { AbsolutePath.resolve($0.root) == root }?.state ?? ContainerdReader.defaultState
    }

    /// The root and the state of the containerd that is the host's own.
    func hostPlace() -> Place {
        let usual =
            places.first ?? Place(root: ContainerdReader.defaultRoot, state: ContainerdReader.defaultState)
        guard let configured = try? configured() else { return usual }
        return Place(root: configured.root ?? usual.root, state: configured.state ?? usual.state)
    }

    private func configured() throws(MetadataFault) -> (root: String?, state: String?) {
        // Configuration management likes to make it a symbolic link.
        let document = try TOMLFile.read(configuration, followingLinks: true)
        var values: [String: String] = [:]
        for name in ["root", "state"] {
            guard let value = document?.value(name), value != .string("") else { continue }
            guard let path = value.string, path.hasPrefix("/") else {
                throw .damaged(configuration, "\(name) is not an absolute path")
            }
            values[name] = path
        }
        return (values["root"], values["state"])
    }
}
