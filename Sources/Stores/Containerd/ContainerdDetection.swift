public import Accounting
import Kernel

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

    private func configured() throws(MetadataFault) -> (root: String?, state: String?) {
        let bytes: [UInt8]
        do {
            // Configuration management likes to make it a symbolic link.
            bytes = try BoundedFile.read(path: AbsolutePath.resolve(configuration), limit: 4 << 20)
        } catch {
            if error.isMissing { return (nil, nil) }
            throw MetadataFault(error, path: configuration)
        }
        let values = Self.topLevelStrings(String(decoding: bytes, as: UTF8.self))
        for name in ["root", "state"] {
            guard let path = values[name], !path.hasPrefix("/") else { continue }
            throw MetadataFault.damaged(
                configuration, "\(name) is \(ObjectID.quoted(path)), not an absolute path")
        }
        return (values["root"], values["state"])
    }

    /// The strings before the first table of a TOML document.
    static func topLevelStrings(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("[") { break }
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == " " || $0 == "\t" }
            guard let quote = value.first, quote == "\"" || quote == "'" else { continue }
            let name = parts[0].filter { $0 != " " && $0 != "\t" }
            let end = value.dropFirst().firstIndex(of: quote)
            if let end, end > value.index(after: value.startIndex) {
                values[name] = String(value[value.index(after: value.startIndex)..<end])
            }
        }
        return values
    }
}
