internal import CLinux
internal import Glibc
internal import SystemPackage

/// One look at the open files of every process.
final class OpenFileLook {
    private static let namelessMark = MappedFile.deletedMark
    private static let mapsLimit = 2 << 20
    /// What a regular file may have: position, flags and mount stand first.
    private static let infoLimit = 4096

    private(set) var scan = OpenFileScan()
    private let limits: OpenFileScanner.Limits
    private let caller: ImpatientCaller
    private let mayAsk: (MountTable.Mount, MountTrust) -> Bool
    private let namespaces = MountNamespaces()
    private let begin: UInt64
    private let callerBegin: UInt64
    /// What may be spent until the process that is looked at now has had its part.
    private var sliceEnd: UInt64 = 0
    /// Mapped files that may not be asked for their size.
    private var unsized: Set<MappedFile.Key> = []
    private var foreign: Set<ForeignFile> = []
    private var unconfirmed: [UInt64: Unconfirmed] = [:]
    private var found = 0

    private struct ForeignFile: Hashable {
        let device: UInt64
        let path: [UInt8]
    }

    /// What was found in one mount namespace, until its mounts are read once more.
    private struct Unconfirmed {
        var table: MountNamespaces.Table
        /// Of the processes that hold something, as many as are worth asking.
        var processes: [Int32] = []
        var files: [FileStatus.Identity: OpenFileScan.File] = [:]
        var isReread = false
    }

    init(
        limits: OpenFileScanner.Limits, caller: ImpatientCaller,
        mayAsk: @escaping (MountTable.Mount, MountTrust) -> Bool
    ) {
        self.limits = limits
        self.caller = caller
        self.mayAsk = mayAsk
        begin = ThreadClock.now()
        callerBegin = caller.spentNanoseconds
    }

    func run() {
        for id in order() {
            guard spent < limit else {
                scan.gaps.insert(.time)
                break
            }
            // Everything of a process is reached from this one directory: where the process ends and its number is
            // given away, nothing more is found below it.
            guard let directory = try? Directory.open(path: "/proc/\(id)") else { continue }
            scan.processes += 1
            sliceEnd = min(limit, spent + UInt64(limits.processSeconds * 1e9))
            look(at: directory, id)
        }
        for (namespace, files) in unconfirmed.sorted(by: { $0.key < $1.key }) { confirm(files, namespace) }
        scan.foreign = foreign.count
        // One that is open as well was asked by its descriptor.
        scan.unsized = unsized.filter { scan.files[.init(device: $0.device, inode: $0.inode)] == nil }.count
        scan.spentElsewhere = caller.spentNanoseconds - callerBegin
    }

    /// All processes, taken in turn from each mount namespace, so that a container with very many of them comes last
    /// with its own.
    private func order() -> [Int32] {
        var groups: [UInt64: [Int32]] = [:]
        var count = 0
        guard let proc = try? Directory.open(path: "/proc") else { return [] }
        try? proc.forEachEntry { entry in
            guard let id = DecimalText.number(entry.name.bytes[...], as: Int32.self) else { return }
            count += 1
            guard count <= limits.processes else {
                scan.gaps.insert(.processes)
                return
            }
            let link = FileName(bytes: entry.name.bytes + Array("/ns/mnt".utf8))
            groups[(try? proc.statusBehind(link).identity.inode) ?? 0, default: []].append(id)
        }
        var turns: [(turn: Int, id: Int32)] = []
        turns.reserveCapacity(count)
        for group in groups.values {
            for (turn, id) in group.enumerated() { turns.append((turn, id)) }
        }
        return turns.sorted { ($0.turn, $0.id) < ($1.turn, $1.id) }.map(\.id)
    }

    private func look(at process: Directory, _ id: Int32) {
        guard let table = namespaces.table(of: process) else {
            if Self.isRefused(process) { scan.refused += 1 }
            return
        }
        if !table.isWhole { scan.gaps.insert(.mounts) }
        let holder = Holder(process: process, id: id, namespace: table.namespace)
        if unconfirmed[table.namespace] == nil { unconfirmed[table.namespace] = Unconfirmed(table: table) }
        for descriptors in descriptorTables(of: process, id) where !isOver() { look(at: descriptors, holder) }
        if !isOver() { lookAtMaps(holder) }
        if holder.isRefused { scan.refused += 1 }
    }

    /// A process while it is looked at.
    private final class Holder {
        let process: Directory
        let id: Int32
        let namespace: UInt64
        var isRefused = false
        lazy var command: [UInt8] = {
            let name = try? process.beginning(of: FileName("comm"), limit: 64).bytes
            return (name ?? []).filter { $0 != UInt8(ascii: "\n") }
        }()

        init(process: Directory, id: Int32, namespace: UInt64) {
            self.process = process
            self.id = id
            self.namespace = namespace
        }
    }

    // MARK: Descriptors

    /// The tables of open files of a process: threads need not share one.
    private func descriptorTables(of process: Directory, _ id: Int32) -> [Directory] {
        // Two links beside one for each thread.
        guard let status = try? process.status(of: FileName("task")), status.links > 3,
            let task = try? process.openChild(FileName("task"))
        else { return [process] }
        var distinct: [(thread: Int32, directory: Directory)] = [(id, process)]
        var count = 0
        try? task.forEachEntry { entry in
            guard let thread = DecimalText.number(entry.name.bytes[...], as: Int32.self), thread != id else {
                return
            }
            count += 1
            guard count <= limits.threads, distinct.count < 64 else {
                scan.gaps.insert(.descriptors)
                throw Stop.limit
            }
            if count % 64 == 0, isOver() { throw Stop.time }
            // Where the kernel cannot compare, they share one, as all but very few do.
            guard distinct.allSatisfy({ clinux_compare_files(thread, $0.thread) > 0 }),
                let directory = try? task.openChild(entry.name)
            else { return }
            distinct.append((thread, directory))
        }
        return distinct.map(\.directory)
    }

    private func look(at descriptors: Directory, _ holder: Holder) {
        do {
            let links = try descriptors.openChild(FileName("fd"))
            var infos: Directory?
            var count = 0
            try links.forEachEntry { entry in
                count += 1
                guard count <= limits.descriptors else { throw Stop.limit }
                if count % 64 == 0, isOver() { throw Stop.time }
                scan.descriptors += 1
                guard let link = link(entry.name, in: links, holder), link.first == UInt8(ascii: "/") else {
                    return
                }
                if infos == nil { infos = try descriptors.openChild(FileName("fdinfo")) }
                if let infos { look(at: entry.name, link, links, infos, holder) }
            }
        } catch Stop.limit {
            scan.gaps.insert(.descriptors)
        } catch Stop.time {
        } catch {
            if Self.isRefusal(error) { holder.isRefused = true }
        }
    }

    /// Where a descriptor leads; `nil` where it was closed meanwhile.
    private func link(_ name: FileName, in links: Directory, _ holder: Holder) -> [UInt8]? {
        do throws(KernelError) {
            return try links.link(name)
        } catch {
            if Self.isRefusal(error) { holder.isRefused = true }
            return nil
        }
    }

    private enum Stop: Error {
        case limit, time
    }

    private func look(
        at name: FileName, _ link: [UInt8], _ links: Directory, _ infos: Directory, _ holder: Holder
    ) {
        let isNameless = link.suffix(Self.namelessMark.count).elementsEqual(Self.namelessMark)
        // The mount is asked for first, for it answers without the file's file system.
        guard let bytes = try? infos.beginning(of: name, limit: Self.infoLimit, isShort: true).bytes,
            let info = DescriptorInfo(parsing: bytes),
            let mount = mount(info.mount, isNameless: isNameless, holder)
        else { return }
        guard mayAsk(mount, trust(holder)) else {
            if isNameless { note(mount, link.dropLast(Self.namelessMark.count)) }
            return
        }
        // The descriptor may lead elsewhere now than a moment ago.
        guard let status = try? links.statusBehind(name), status.links == 0,
            status.kind == .regular || status.kind == .directory,
            let after = try? infos.beginning(of: name, limit: Self.infoLimit, isShort: true).bytes,
            DescriptorInfo(parsing: after)?.mount == info.mount
        else { return }
        let path = isNameless ? link.dropLast(Self.namelessMark.count) : link
        keep(status, mount, path: path, isWritable: info.isWritable, holder)
    }

    private func trust(_ holder: Holder) -> MountTrust {
        unconfirmed[holder.namespace]?.table.trust ?? .foreign
    }

    private func mount(_ id: UInt32, isNameless: Bool, _ holder: Holder) -> MountTable.Mount? {
        guard let known = unconfirmed[holder.namespace] else { return nil }
        if let mount = known.table.mounts[id] { return mount }
        // It may be new. Mounts that the kernel keeps for itself, as for memfd, are in no table ever.
        guard isNameless, !known.isReread, let table = namespaces.reread(holder.process) else { return nil }
        unconfirmed[table.namespace, default: Unconfirmed(table: table)].table = table
        unconfirmed[holder.namespace]?.isReread = true
        return table.mounts[id]
    }

    // MARK: Maps

    private func lookAtMaps(_ holder: Holder) {
        let process = holder.process
        let read = caller.value {
            Result { try process.beginning(of: FileName("maps"), limit: Self.mapsLimit) }
        }
        switch read {
        case .success((let bytes, let isWhole)):
            if !isWhole { scan.gaps.insert(.maps) }
            for file in MappedFile.all(parsing: bytes) {
                guard !isOver() else { break }
                look(at: file, holder)
            }
        case .failure(let error): if Self.isRefusal(error) { holder.isRefused = true }
        case nil: scan.gaps.insert(.maps)
        }
    }

    private func look(at file: MappedFile, _ holder: Holder) {
        guard let table = unconfirmed[holder.namespace]?.table, let mount = mount(of: file, table) else {
            return
        }
        guard mayAsk(mount, table.trust) else {
            note(mount, file.path[...])
            return
        }
        let process = holder.process
        let status = caller.value {
            Result { try process.statusBehind(FileName(bytes: Array("map_files/".utf8) + file.range.bytes)) }
        }
        switch status {
        case .success(let status): add(file, status, mount, holder)
        case .failure(let error):
            guard Self.isRefusal(error) else { return }
            // The program itself is told by another link, which asks for less.
            if let link = try? process.link(FileName("exe")), link == file.path + Self.namelessMark,
                let status = try? process.statusBehind(FileName("exe"))
            {
                add(file, status, mount, holder)
            } else if unsized.count < limits.files {
                unsized.insert(file.key)
            }
        case nil: scan.gaps.insert(.maps)
        }
    }

    /// The mount of a mapped file, which `maps` names by device and path alone.
    private func mount(of file: MappedFile, _ table: MountNamespaces.Table) -> MountTable.Mount? {
        let path = String(decoding: file.path, as: UTF8.self)
        return (table.byDevice[file.key.device] ?? []).filter { $0.holds(path) }
            .max { ($0.path.utf8.count, $0.id) < ($1.path.utf8.count, $1.id) }
    }

    private func add(_ file: MappedFile, _ status: FileStatus, _ mount: MountTable.Mount, _ holder: Holder) {
        guard status.links == 0, status.kind == .regular else { return }
        keep(status, mount, path: file.path, isWritable: false, holder)
    }

    // MARK: Keeping

    /// Remembers a file of an overlay that no one vouched for.
    private func note(_ mount: MountTable.Mount, _ path: ArraySlice<UInt8>) {
        guard mount.type == "overlay", foreign.count < limits.files else { return }
        foreign.insert(ForeignFile(device: mount.device, path: Array(path)))
    }

    private func keep(
        _ status: FileStatus, _ mount: MountTable.Mount, path: [UInt8], isWritable: Bool, _ holder: Holder
    ) {
        let file = OpenFileScan.File(
            status: status, mount: mount, path: path, processID: holder.id, command: holder.command,
            isWritable: isWritable)
        if unconfirmed[holder.namespace]?.files[status.identity]?.add(file) != nil { return }
        guard found < limits.files else {
            scan.gaps.insert(.files)
            return
        }
        found += 1
        unconfirmed[holder.namespace]?.files[status.identity] = file
        if let processes = unconfirmed[holder.namespace]?.processes, processes.last != holder.id,
            processes.count < 16
        {
            unconfirmed[holder.namespace]?.processes.append(holder.id)
        }
    }

    /// Takes what was found in a namespace where its mounts are still the same: the kernel gives the number of a
    /// mount that has gone to the next one.
    private func confirm(_ files: Unconfirmed, _ namespace: UInt64) {
        guard !files.files.isEmpty else { return }
        for id in files.processes {
            guard let process = try? Directory.open(path: "/proc/\(id)"),
                let now = namespaces.reread(process),
                now.namespace == namespace
            else { continue }
            for (identity, file) in files.files where now.mounts[file.mount.id] == file.mount {
                if scan.files[identity]?.add(file) == nil { scan.files[identity] = file }
            }
            return
        }
    }

    /// Whether the system keeps a process's files from being looked at; one that has ended is no refusal.
    private static func isRefused(_ process: Directory) -> Bool {
        do {
            let links = try process.openChild(FileName("fd"))
            if let first = try links.entries().first { _ = try links.link(first.name) }
            return false
        } catch {
            return isRefusal(error)
        }
    }

    private static func isRefusal(_ error: any Error) -> Bool {
        guard let error = error as? KernelError else { return false }
        return error.errno == .permissionDenied || error.errno == .notPermitted
    }

    /// Processor time since the beginning, of this thread and of the calls that another makes for it.
    private var spent: UInt64 { ThreadClock.now() - begin + caller.spentNanoseconds - callerBegin }

    private var limit: UInt64 { UInt64(limits.seconds * 1e9) }

    /// Whether the time for the process that is looked at, or for the whole look, is over; then that is noted.
    private func isOver() -> Bool {
        let spent = spent
        guard spent >= sliceEnd else { return false }
        scan.gaps.insert(spent >= limit ? .time : .descriptors)
        return true
    }
}
