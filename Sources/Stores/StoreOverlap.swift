/// A store whose files another one has as well, so that they would be counted twice.
public struct StoreOverlap: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Both are one directory.
        case same
        /// The one lies inside the other.
        case inside
        /// The other is an engine of Docker's that has its images in the one, or that both have theirs in.
        ///
        /// That is not for ever: the engine may have come to it, or may leave it, while nobody looked.
        case containerd
    }

    /// The one to leave out.
    public let location: StoreLocation
    public let other: StoreLocation
    public let kind: Kind

    public var description: String {
        let how =
            switch kind {
            case .same: "is the same directory as"
            case .inside: "lies inside"
            case .containerd: "is in the containerd that has the images of"
            }
        return "the store \(location) \(how) the store \(other), so its files would be counted twice: "
            + "leave one of them out"
    }
}

extension Stores {
    /// The locations that lie inside another one, or are the same as an earlier one, by whatever path; and those that
    /// lie where an engine of Docker's has its images, in the containerd that `containerd` finds.
    public static func overlaps(
        _ locations: [StoreLocation], containerd: ContainerdDetection = ContainerdDetection()
    ) -> [StoreOverlap] {
        let roots = locations.map { AbsolutePath.resolve($0.path) }
        // What lies in the engine's own root is compared with that.
        let allImages = locations.indices.map { index in
            containerdRoot(of: locations[index], containerd).flatMap {
                $0.hasPrefix(roots[index] + "/") ? nil : $0
            }
        }
        return locations.indices.compactMap { index in
            for other in locations.indices where other != index {
                guard let kind = kind(index, other) else { continue }
                return StoreOverlap(location: locations[index], other: locations[other], kind: kind)
            }
            return nil
        }

        func kind(_ index: Int, _ other: Int) -> StoreOverlap.Kind? {
            if roots[index] == roots[other] { return other < index ? .same : nil }
            if isInside(index, other) { return .inside }
            if let images = allImages[other], isPath(roots[index], inside: images) { return .containerd }
            guard let images = allImages[index] else { return nil }
            let isShared = images == allImages[other] && other < index
            return isShared || locations[other].kind != .containerd && isPath(images, inside: roots[other])
                ? .containerd : nil
        }

        func isInside(_ inner: Int, _ outer: Int) -> Bool {
            guard roots[inner] != roots[outer], isPath(roots[inner], inside: roots[outer]) else {
                return false
            }
            guard locations[inner].kind == .docker, locations[outer].kind == .docker else { return true }
            // An engine that maps user ids keeps stores of its own beside what the plain one has.
            let prefix = roots[outer] == "/" ? "/" : roots[outer] + "/"
            let first = roots[inner].dropFirst(prefix.count).prefix { $0 != "/" }
            return dockerDirectories.contains(String(first))
        }

        /// Whether a path is another one or lies inside it.
        func isPath(_ path: String, inside outer: String) -> Bool {
            path == outer || path.hasPrefix(outer == "/" ? "/" : outer + "/")
        }
    }

    /// What an engine accounts for below its root.
    private static let dockerDirectories: Set = [
        "buildkit", "containerd", "containers", "image", "overlay2", "rootfs", "volumes",
    ]
}
