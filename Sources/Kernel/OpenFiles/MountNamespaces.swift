/// The tables of mounts of the namespaces that one look comes by, each read once.
final class MountNamespaces {
    struct Table {
        let namespace: UInt64
        let trust: MountTrust
        let mounts: [UInt32: MountTable.Mount]
        let byDevice: [UInt64: [MountTable.Mount]]
        let isWhole: Bool
    }

    // Whoever may make a user namespace may fill its tables with a hundred thousand mounts.
    private static let foreignLimit = 128 << 10
    private static let hostLimit = 16 << 20

    private let ownMounts: UInt64?
    private let ownUsers: UInt64?
    private var tables: [UInt64: Table] = [:]

    init() {
        let own = try? Directory.open(path: "/proc/self")
        ownMounts = try? own?.namespace("mnt")
        ownUsers = try? own?.namespace("user")
    }

    /// The table of a process's namespace, as it was when it was first read; `nil` where the process has ended.
    func table(of process: Directory) -> Table? {
        guard let namespace = try? process.namespace("mnt") else { return nil }
        return tables[namespace] ?? reread(process)
    }

    /// Reads the table of a process's namespace again.
    func reread(_ process: Directory) -> Table? {
        guard let namespace = try? process.namespace("mnt") else { return nil }
        let trust = trust(process, namespace)
        let limit = trust == .foreign ? Self.foreignLimit : Self.hostLimit
        guard let read = try? process.beginning(of: FileName("mountinfo"), limit: limit),
            // It may have gone to a namespace of its own meanwhile, from where there is no way back to one that
            // is trusted more.
            (try? process.namespace("mnt")) == namespace
        else { return nil }
        // The last line of a part may be cut.
        let end = read.isWhole ? read.bytes.endIndex : read.bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0
        let mounts = MountTable(parsing: Array(read.bytes[..<end])).mounts
        let table = Table(
            namespace: namespace, trust: trust,
            mounts: Dictionary(mounts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }),
            byDevice: Dictionary(grouping: mounts, by: \.device), isWhole: read.isWhole)
        tables[namespace] = table
        return table
    }

    private func trust(_ process: Directory, _ namespace: UInt64) -> MountTrust {
        if namespace == ownMounts { return .own }
        guard let ownUsers, let owner = try? process.namespaceOwner("mnt"), owner == ownUsers else {
            return .foreign
        }
        return .host
    }
}
