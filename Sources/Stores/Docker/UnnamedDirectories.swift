import Accounting
import Kernel

/// Tells which directories that no metadata names are in the making, and which are left over.
struct UnnamedDirectories: Sendable {
    struct Entry: Hashable, Sendable {
        var name: FileName
        var isOrphan: Bool
        /// Its last change, nanoseconds since the epoch.
        var changed: Int64
        /// When it will be called an orphan if nothing changes in it, nanoseconds since the epoch.
        var due: Int64?
    }

    /// More inodes than this are not looked at for one that changed of late.
    private static let maximumLooks = 200_000
    private static let maximumDepth = 256

    private struct Look: Sendable {
        var top: Int64
        var changed: Int64
        var time: Int64
        /// Whether all of it was older than the grace then.
        var wasOld: Bool
    }

    /// When each was last walked for its newest change.
    private var looks: [FileName: Look] = [:]

    /// The directories among `names` that are not in `named`; without `orphanSeconds` none of them is an orphan, for
    /// what names them is not known.
    mutating func judge(
        _ names: [FileName], but named: Set<String>, below parent: MetadataDirectory?, now: Int64,
        orphanSeconds: Double?
    ) -> [Entry] {
        guard let parent else { return [] }
        var kept: [FileName: Look] = [:]
        defer { looks = kept }
        return names.compactMap { name in
            guard !named.contains(String(decoding: name.bytes, as: UTF8.self)),
                let status = parent.status(of: name), status.kind == .directory
            else { return nil }
            var entry = Entry(name: name, isOrphan: false, changed: status.changed)
            guard let orphanSeconds else { return entry }
            let grace = Int64(min(max(0, orphanSeconds), 1e9) * 1e9)
            let horizon = now &- grace
            if entry.changed <= horizon {
                // Far below it may still be written to.
                let known = looks[name].flatMap { look in
                    // One that was young when it was walked must be walked again before it is called old.
                    let isValid = look.changed > horizon || look.wasOld && look.time > now &- grace / 4
                    return look.top == status.changed && isValid ? look : nil
                }
                let look: Look
                if let known {
                    look = known
                } else {
                    let newest = Self.newestChange(parent, name, status, until: horizon)
                    look = Look(top: status.changed, changed: newest, time: now, wasOld: newest <= horizon)
                }
                kept[name] = look
                entry.changed = look.changed
            }
            entry.isOrphan = entry.changed <= horizon
            if !entry.isOrphan { entry.due = entry.changed &+ grace }
            return entry
        }
    }

    /// The last change in a directory; the first that is found behind `horizon` is enough.
    private static func newestChange(
        _ parent: MetadataDirectory, _ name: FileName, _ top: FileStatus, until horizon: Int64
    ) -> Int64 {
        struct Enough: Error {}
        var newest = top.changed
        var looks = 0
        guard let root = parent.openDirectory(name) else { return newest }
        var pending: [[FileName]] = [[]]
        while let path = pending.popLast() {
            guard let directory = try? root.openDescendant(path) else { continue }
            do {
                try directory.forEachEntry { entry in
                    looks += 1
                    guard looks < maximumLooks else { throw Enough() }
                    guard let status = try? directory.status(of: entry.name),
                        status.identity.device == top.identity.device
                    else { return }
                    newest = max(newest, status.changed)
                    guard newest <= horizon else { throw Enough() }
                    if status.kind == .directory, path.count < maximumDepth {
                        pending.append(path + [entry.name])
                    }
                }
            } catch is Enough {
                return newest
            } catch {
                // It was removed, or cannot be listed: what else there is tells.
                continue
            }
        }
        return newest
    }
}
