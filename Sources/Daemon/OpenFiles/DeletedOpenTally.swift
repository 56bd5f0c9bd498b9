internal import Accounting
internal import Kernel

/// Makes a report of what a look at open files found.
enum DeletedOpenTally {
    /// - Parameters:
    ///   - scan: What was found.
    ///   - places: Where files lie, with what was learned during the look.
    ///   - after: The same from the mounts behind the look: a device number that changed hands names no layer.
    ///   - metacopyByDefault: Whether overlays copy up metadata alone where their options do not say.
    /// - Returns: What each layer and file system has of it.
    static func report(
        _ scan: OpenFileScan, places: LayerPlaces, after: LayerPlaces, metacopyByDefault: Bool
    ) -> DeletedOpenReport {
        var report = DeletedOpenReport(.complete)
        var seen: Set<FileStatus.Identity> = []
        var uncertain: Int64 = 0
        var moved = 0
        for file in scan.files.values {
            guard let place = places.place(of: file) else { continue }
            let isOverlay = file.mount.type == "overlay"
            if isOverlay, let now = after.overlays[file.mount.device], now != place {
                moved += 1
                continue
            }
            guard seen.insert(identity(of: file, on: place.device)).inserted else { continue }
            let told = DeletedOpen.File(
                processID: file.processID, processes: file.processes, command: FileName.escape(file.command),
                path: FileName.escape(file.path), diskBytes: file.status.allocated,
                sizeBytes: file.status.kind == .directory ? 0 : file.status.size)
            let isUncertain = isOverlay && !file.isWritable && mayBeMetadata(file, metacopyByDefault)
            if isUncertain { uncertain = uncertain.addingClamped(told.diskBytes) }
            report.byDevice[place.device, default: DeletedOpen()].add(told, isUncertain: isUncertain)
            if let layer = place.layer {
                report.byLayer[layer, default: DeletedOpen()].add(told, isUncertain: isUncertain)
            }
        }
        guard scan.refused <= scan.processes / 2 else {
            let count = count(scan.refused, "process", "processes")
            return DeletedOpenReport(
                .unknown(
                    reason:
                        "the system refused to show \(count) (needs CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE)"))
        }
        let reasons = gaps(scan, uncertain: uncertain, moved: moved)
        if !reasons.isEmpty { report.completeness = .atLeast(reason: reasons.joined(separator: "; ")) }
        return report
    }

    /// One identity for a file that is held through a container's mount and in the upper directory itself.
    ///
    /// An overlay whose layers are on one file system shows a file of the upper directory by the number that it has
    /// there. A file that was copied up has the number of the image's file, which no file without a name has.
    private static func identity(of file: OpenFileScan.File, on device: UInt64) -> FileStatus.Identity {
        let identity = file.status.identity
        guard file.mount.type == "overlay", identity.device == file.mount.device else { return identity }
        return FileStatus.Identity(device: device, inode: identity.inode)
    }

    /// Whether a file may be one whose metadata alone was copied up: it then shows the blocks of the image's file.
    ///
    /// One that is open for writing was copied up as a whole.
    private static func mayBeMetadata(_ file: OpenFileScan.File, _ byDefault: Bool) -> Bool {
        guard file.status.kind == .regular else { return false }
        return file.mount.option("metacopy").map { $0 == "on" } ?? byDefault
    }

    private static func gaps(_ scan: OpenFileScan, uncertain: Int64, moved: Int) -> [String] {
        var reasons = scan.gaps.sorted().map { gap in
            switch gap {
            case .time: "the time for one look was over"
            case .processes: "there are too many processes"
            case .descriptors: "a process has too many descriptors, threads or maps"
            case .files: "there are too many such files"
            case .mounts: "a mount namespace has too many mounts"
            case .maps: "the memory maps of a process could not be read, or not to their end"
            }
        }
        if scan.refused > 0 {
            reasons.append("the system refused to show \(count(scan.refused, "process", "processes"))")
        }
        if scan.unsized > 0 {
            reasons.append(
                "\(count(scan.unsized, "mapped file", "mapped files")) may not be asked for a size (needs "
                    + "CAP_CHECKPOINT_RESTORE)")
        }
        if scan.foreign > 0 {
            reasons.append("\(count(scan.foreign, "file", "files")) on overlays that belong to no store")
        }
        if moved > 0 { reasons.append("\(count(moved, "file", "files")) on overlays that changed meanwhile") }
        if uncertain > 0 {
            reasons.append("some are open for reading on overlays that copy up metadata alone (metacopy)")
        }
        return reasons
    }

    private static func count(_ count: Int, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }
}
