internal import Glibc

/// What keeps the user from a socket: a directory on the way to it, or its own mode.
enum SocketAccess: Hashable {
    struct Entry: Hashable {
        var path: String
        var owner: String
        var group: String
        /// The permission bits alone.
        var mode: UInt32

        /// Whether its group may use it; root's group is nothing to add people to.
        var isForGroup: Bool { mode & UInt32(S_IWGRP) != 0 && group != "root" }

        /// As `ls -l` names them: `root:usaged 0660`.
        var description: String {
            let digits = String(mode, radix: 8)
            let zeros = String(repeating: "0", count: max(0, 4 - digits.utf8.count))
            return "\(TerminalText.name(owner)):\(TerminalText.name(group)) \(zeros)\(digits)"
        }
    }

    case directory(Entry)
    case socket(Entry)
    /// Neither: something else than modes forbids it.
    case unknown

    /// Looks where the way to the socket ends.
    static func find(_ path: String) -> SocketAccess {
        // From the top: what lies behind a directory that may not be passed cannot be looked at.
        for end in path.indices where path[end] == "/" && end != path.startIndex {
            let directory = String(path[..<end])
            guard let entry = entry(directory) else { return .unknown }
            // The corresponding C function looks at the effective user, as connect does.
            if faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) != 0 { return .directory(entry) }
        }
        return entry(path).map(SocketAccess.socket) ?? .unknown
    }

    /// The group that may use a socket, safe to print; nil where it has none but root's.
    static func group(of path: String) -> String? {
        guard let entry = entry(path), entry.isForGroup else { return nil }
        return TerminalText.name(entry.group)
    }

    private static func entry(_ path: String) -> Entry? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Entry(
            path: path, owner: userName(status.st_uid), group: groupName(status.st_gid),
            mode: status.st_mode & 0o7777)
    }

    /// The name of a user, or the number where there is none.
    private static func userName(_ id: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &found) == 0, let found,
            let name = found.pointee.pw_name
        else { return "\(id)" }
        return String(cString: name)
    }

    private static func groupName(_ id: gid_t) -> String {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        guard getgrgid_r(id, &entry, &buffer, buffer.count, &found) == 0, let found,
            let name = found.pointee.gr_name
        else { return "\(id)" }
        return String(cString: name)
    }

    /// The message's part after "not permitted to use PATH", and what to do.
    var advice: String {
        switch self {
        case .directory(let entry):
            """
            : its directory \(TerminalText.name(entry.path)) lets only others through (\(entry.description))
            Run it with sudo, or let the daemon serve a socket elsewhere: socket.path in /etc/usaged/usaged.yaml.
            """
        case .socket(let entry) where entry.isForGroup:
            """
            : its group is \(TerminalText.name(entry.group)) (\(entry.description))
            Add yourself: sudo usermod -aG \(TerminalText.name(entry.group)) "$USER", then log in again.
            """
        case .socket(let entry):
            """
            : only \(entry.owner == "root" ? "" : "\(TerminalText.name(entry.owner)) and ")root may \
            (\(entry.description))
            Run it with sudo. To open it to a group, make one and name it: socket.group in \
            /etc/usaged/usaged.yaml, or SocketGroup= of usaged.socket.
            """
        case .unknown:
            """

            Run it with sudo.
            """
        }
    }
}
