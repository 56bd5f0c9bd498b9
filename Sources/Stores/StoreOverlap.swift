/// A store whose files another one has as well, so that they would be counted twice.
public struct StoreOverlap: Error, Hashable, Sendable, CustomStringConvertible {
    /// The one to leave out.
    public let location: StoreLocation
    public let other: StoreLocation
    /// Whether both are one directory; else the one lies inside the other.
    public let isSame: Bool

    public var description: String {
        let how = isSame ? "is the same directory as" : "lies inside"
        return "the store \(location) \(how) the store \(other), so its files would be counted twice: "
            + "leave one of them out"
    }
}

extension Stores {
    /// The locations that lie inside another one, or are the same as an earlier one, by whatever path.
    public static func overlaps(_ locations: [StoreLocation]) -> [StoreOverlap] {
        let roots = locations.map { AbsolutePath.resolve($0.path) }
        return locations.indices.compactMap { index in
            for (other, root) in roots.enumerated() where other != index {
                let isSame = roots[index] == root
                guard isSame ? other < index : isInside(index, other) else { continue }
                return StoreOverlap(location: locations[index], other: locations[other], isSame: isSame)
            }
            return nil
        }

        func isInside(_ inner: Int, _ outer: Int) -> Bool {
            let prefix = roots[outer] == "/" ? "/" : roots[outer] + "/"
            guard roots[inner].hasPrefix(prefix) else { return false }
            guard locations[inner].kind == .docker, locations[outer].kind == .docker else { return true }
            // An engine that maps user ids keeps stores of its own beside what the plain one has.
            let first = roots[inner].dropFirst(prefix.count).prefix { $0 != "/" }
            return dockerDirectories.contains(String(first))
        }
    }

    /// What an engine accounts for below its root.
    private static let dockerDirectories: Set = [
        "buildkit", "containerd", "containers", "image", "overlay2", "volumes",
    ]
}
