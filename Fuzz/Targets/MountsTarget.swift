import Kernel

extension FuzzTarget {
    /// `/proc/self/mountinfo`, whose paths and sources whoever mounts chooses.
    static let mounts = FuzzTarget(name: "mounts") { bytes in
        let table = MountTable(parsing: bytes)
        let mounts = table.mounts
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        try require(
            mounts == lines.flatMap { MountTable(parsing: Array($0)).mounts }, "each line stands for itself")
        for mount in mounts.prefix(8) {
            for path in [mount.path, mount.path + "/a", mount.path + "\u{301}", "/" + mount.source] {
                let found = table.mount(holding: path)
                try require(
                    found?.path.utf8.count == longestPoint(holding: path, of: mounts),
                    "a path is held by the longest mount point above it: \(path.debugDescription)")
            }
        }
    }

    /// The bytes of the longest mount point that is the path, or above it name by name.
    private static func longestPoint(holding path: String, of mounts: [MountTable.Mount]) -> Int? {
        let names = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let points = mounts.map(\.path).filter { point in
            let names = names.map(Array.init)
            let above = point.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            return path.utf8.elementsEqual(point.utf8) || point == "/" && path.utf8.first == UInt8(ascii: "/")
                || names.count > above.count && names.starts(with: above.map(Array.init))
        }
        return points.map(\.utf8.count).max()
    }
}
