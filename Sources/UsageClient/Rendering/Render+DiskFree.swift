public import Wire

extension Render {
    /// Where the used bytes of each file system went.
    public static func diskFree(_ status: Status, _ options: RenderOptions) -> String {
        guard !status.filesystems.isEmpty else {
            return text(["no file system holds a store: see usage-client status"])
        }
        var lines: [String] = []
        for system in status.filesystems {
            if !lines.isEmpty { lines.append("") }
            lines += diskFree(system, options)
        }
        lines.append("")
        lines += wrap(
            "files of the host that belong to no store, and the file system's own", first: "other: ", options)
        if status.filesystems.contains(where: { $0.attributed.deletedOpen == nil }) {
            let reason = status.deletedOpen?.reason.map { " (\(TerminalText.prose($0)))" } ?? ""
            lines += wrap(
                "how much deleted files take that are still open is not known\(reason); other holds them",
                first: "note: ", options)
        }
        if let progress = status.progress {
            lines += wrap(
                "\(progress.layersMeasured) of \(progress.layersTotal) layers are measured; the others are not yet "
                    + "attributed and count as other", first: "note: ", options)
        } else if !status.exact {
            let reasons = status.reasons.isEmpty ? "" : ": " + status.reasons.joined(separator: "; ")
            lines += wrap(
                "not exact\(TerminalText.prose(reasons)). What is not yet attributed counts as other",
                first: "note: ", options)
        }
        return text(lines)
    }

    private static func diskFree(_ system: FileSystem, _ options: RenderOptions) -> [String] {
        let mount = TerminalText.name(system.mount)
        let shown = options.width.map { TerminalText.cutMiddle(mount, to: max(16, $0)) } ?? mount
        var table = TextTable([.text("CLASS"), .number("DISK"), .number("OF USED")], indent: "  ")
        for (name, bytes) in system.attributed.classes {
            table.add([
                "\(name)", "\(bytes.map(options.size) ?? "unknown")",
                "\(bytes.map { percent($0, of: system.usedBytes) } ?? "")",
            ])
        }
        table.add([
            "other", "\(options.size(system.otherBytes))",
            "\(percent(system.otherBytes, of: system.usedBytes))",
        ])
        table.add([
            TextTable.Cell("used", .bold), TextTable.Cell(options.size(system.usedBytes), .bold),
            "\(percent(system.usedBytes, of: system.usedBytes))",
        ])
        return [
            options.paint(shown, .bold),
            "  size \(options.size(system.sizeBytes)), used \(options.size(system.usedBytes)) "
                + "(\(useShare(system))), available \(options.size(system.availableBytes)), "
                + "attributed \(percent(system.attributed.sum, of: system.usedBytes))",
        ] + table.lines(options)
    }
}
