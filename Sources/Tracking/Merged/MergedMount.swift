internal import Accounting
internal import Kernel
internal import SystemPackage

/// The overlay that an engine mounts a writable layer with, where the kernel tells the layer's own directory nothing
/// of data that is written through it; used by one thread.
///
/// Watches in the mount tell of that data. This says whether there is a mount, and whether all that is written
/// through it is heard.
final class MergedMount {
    /// Names that come and go are told by the layer's own directory as well, but before the mount shows them.
    static let mask: InotifyEvent.Mask = [
        .modify, .attributes, .closeWrite, .create, .movedFrom, .movedTo, .onlyDirectory,
    ]

    /// From the making of `work` to the mount at its place, nanoseconds: far longer than `mount` takes.
    private static let attachTime: Int64 = 5_000_000_000
    /// For a look that has the mount open, and for a container's end.
    private static let endTime: Int64 = 1_000_000_000

    private enum State: Equatable {
        case unmounted
        /// Watches are held, or about to be, in the overlay that has this device.
        case followed(device: UInt64)
    }

    let place: OverlayMount
    private let watches: LayerWatches
    private let sight: MountSight
    private let pollNanoseconds: Int64
    private var state = State.unmounted
    /// Overlayfs makes its directory `work` anew at each mount, in whatever namespace.
    private var workWatch: Int32?
    private var rootWatch: Int32?
    /// Something was told that ``refresh(at:device:)`` has to see after.
    private(set) var isChanged = true
    private var isFirst = true
    private var wasMounted = false
    /// The overlay that is mounted now was seen here.
    private var isSeen = false
    /// Until then a mount that was told of and not found may be one that cannot be seen here.
    private var doubtEnds: Int64?
    /// Until then a mount that was told of and not found may be found, or have come and gone.
    private var awaitedUntil: Int64?
    /// Since then an overlay that is watched was found mounted no more, and has not ended.
    private var detachedSince: Int64?

    /// Whether the engine says that a container runs on the layer.
    var isRunning = false {
        didSet { if isRunning != oldValue { isChanged = true } }
    }

    /// Why the watches do not tell all that is written to the layer; `nil` where they do.
    private(set) var doubt: String?

    init(_ place: OverlayMount, watches: LayerWatches, sight: MountSight, pollSeconds: Int) {
        self.place = place
        self.watches = watches
        self.sight = sight
        pollNanoseconds = Int64(pollSeconds) * 1_000_000_000
    }

    var isFollowed: Bool { state != .unmounted }
    /// When it is to be refreshed without an event.
    var nextRefresh: Int64? { [doubtEnds, awaitedUntil, endingUntil].compactMap(\.self).min() }
    private var endingUntil: Int64? { doubt == nil ? detachedSince.map { $0 + Self.endTime } : nil }
    /// Who asks has it refreshed: overlayfs has told of a mount that was not found yet.
    var isAwaited: Bool { awaitedUntil != nil }
    /// What it is will be known in a moment.
    var isUncertain: Bool { isChanged || endingUntil != nil }
    private var device: UInt64? { if case .followed(let device) = state { device } else { nil } }

    // MARK: News

    /// Takes an event of one of the layer's watches.
    func note(_ event: InotifyRecord) {
        if event.watch == workWatch {
            if event.mask.contains(.create) { wasMounted = true }
            if event.mask.contains(.ignored) { workWatch = nil }
            isChanged = true
        } else if event.watch == rootWatch, !event.mask.isDisjoint(with: [.ignored, .unmount]) {
            // No overlay of the layer is left in any namespace, and what was written through it is in the queue.
            rootWatch = nil
            state = .unmounted
            isChanged = true
        }
    }

    /// Events were lost, or mounts of the namespace changed.
    func noteDoubt(eventsWereLost: Bool) {
        if eventsWereLost { wasMounted = true }
        isChanged = true
    }

    /// Looks whether the layer is mounted.
    ///
    /// - Parameters:
    ///   - now: `CLOCK_MONOTONIC`, nanoseconds.
    ///   - upper: The layer's own directory.
    ///   - isAsked: Somebody wants to know all that was written up to now.
    /// - Returns: Whether all of the layer is to be looked at, since it may have been written to through a mount that
    ///   was not watched.
    func refresh(at now: Int64, upper: String, isAsked: Bool) -> Bool {
        isChanged = false
        let deafness = watchWork()
        if isFirst, wasMountedLately { wasMounted = true }
        isFirst = false
        let isNewMount = wasMounted
        wasMounted = false
        if isNewMount { isSeen = false }
        let found = mountedDevice(over: upper)
        if let found {
            let isAnother = found != device
            state = .followed(device: found)
            isSeen = true
            sight.hasSeen = true
            (doubtEnds, awaitedUntil, detachedSince) = (nil, nil, nil)
            doubt = nil
            return isNewMount || isAnother
        }
        let isToBeLookedAt =
            isNewMount || isAsked && isAwaited || now >= awaitedUntil ?? .max || now >= doubtEnds ?? .max
        if isNewMount {
            awaitedUntil = now + Self.attachTime
            if !sight.hasSeen { doubtEnds = now + pollNanoseconds }
        }
        if now >= awaitedUntil ?? .max { awaitedUntil = nil }
        if now >= doubtEnds ?? .max { doubtEnds = nil }
        noteAbsence(at: now, deafness)
        return isToBeLookedAt
    }

    /// The mount is not there, or not here.
    private func noteAbsence(at now: Int64, _ deafness: String?) {
        if rootWatch != nil {
            // The watch ends with the overlay.
            let since = detachedSince ?? now
            detachedSince = since
            doubt =
                now >= since + Self.endTime ? "its mount \(place.merged) is detached and still in use" : nil
            return
        }
        detachedSince = nil
        state = .unmounted
        if doubtEnds != nil {
            doubt = "it was mounted, and its mount \(place.merged) cannot be seen here"
        } else if isRunning, !isSeen {
            doubt = "its container runs, and its mount \(place.merged) cannot be seen here"
        } else {
            doubt = deafness
        }
    }

    // MARK: The kernel

    /// Opens the root of the mount; `nil` where there is none.
    func open() throws(KernelError) -> Directory? {
        guard case .followed(let device) = state else { return nil }
        let directory = try Directory.open(path: place.merged)
        guard try directory.status().identity.device == device, try isOverlay(directory) else {
            isChanged = true
            return nil
        }
        return directory
    }

    func watch(_ directory: Directory, isRoot: Bool) throws(KernelError) -> Int32 {
        // Without openat2 (Linux before 5.6) the way may have led into another mount.
        guard let device, try directory.status().identity.device == device else {
            throw KernelError(call: "openat", path: place.merged, errno: .improperLink)
        }
        let watch = try watches.add(directory, mask: Self.mask)
        if isRoot { rootWatch = watch }
        return watch
    }

    /// A watch is given back, so that no event of its end will come.
    func noteRemoval(of watch: Int32) {
        if watch == rootWatch { rootWatch = nil }
    }

    func release() {
        if let workWatch { watches.remove(workWatch) }
        workWatch = nil
        isChanged = true
    }

    /// The device of the overlay that is mounted; `nil` where the directory is there as the engine made it.
    private func mountedDevice(over upper: String) -> UInt64? {
        guard let directory = try? Directory.open(path: place.merged), let status = try? directory.status(),
            let below = try? FileStatus.of(path: upper), (try? isOverlay(directory)) == true,
            status.identity.device != below.identity.device
        else { return nil }
        return status.identity.device
    }

    /// Whether a mount was begun before it could be told, and may not be at its place yet.
    private var wasMountedLately: Bool {
        guard let made = try? FileStatus.of(path: place.work + "/work") else { return false }
        return made.changed > realtimeNanoseconds().subtractingClamped(Self.attachTime)
    }

    private func isOverlay(_ directory: Directory) throws(KernelError) -> Bool {
        try FileSystemStatus.of(directory).type == FileSystemMagic.overlay
    }

    /// Makes sure that mounts are told; returns why they are not.
    private func watchWork() -> String? {
        guard workWatch == nil else { return nil }
        do {
            workWatch = try watches.add(
                try Directory.open(path: place.work), mask: [.create, .onlyDirectory])
            return nil
        } catch {
            return "mounts of it are not told: \(error)"
        }
    }
}

/// Whether engines' mounts reach this process's namespace: one did.
final class MountSight {
    var hasSeen = false
}
