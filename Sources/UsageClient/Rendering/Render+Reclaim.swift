public import Wire

extension Render {
    /// What would come free, and what stays.
    public static func reclaim(_ plan: Reclaim, _ options: RenderOptions) -> String {
        var lines: [String] = []
        if plan.items.isEmpty {
            lines.append("nothing of it would go")
        } else {
            var table = TextTable([
                .text("GOES"), .name("NAME", keeps: 24), .text("ID", dropRank: 1), .number("DISK"),
                .number("SIZE", dropRank: 2),
            ])
            for item in plan.items {
                table.add([
                    "\(TerminalText.name(item.kind))\(item.implied ? " (with it)" : "")",
                    "\(imageName(item.name))",
                    "\(short(item.id))", "\(options.size(item.diskBytes))", "\(options.size(item.sizeBytes))",
                ])
            }
            lines += table.lines(options)
        }
        lines.append("")
        lines.append(
            "\(options.paint("would come free: \(options.size(plan.diskBytes))", .bold)) (df), files of "
                + "\(options.size(plan.sizeBytes)) apparent size; nothing was deleted")
        if plan.filesystems.count > 1 {
            for gain in plan.filesystems {
                lines.append("  \(TerminalText.name(gain.mount)): \(options.size(gain.diskBytes))")
            }
        }
        if !plan.stays.isEmpty {
            lines.append("")
            lines.append(options.paint("stays:", .bold))
            for stay in plan.stays.prefix(maximumStays) {
                lines += wrap(
                    "\(TerminalText.name(stay.kind)) \(imageName(stay.id)) (\(options.size(stay.diskBytes))): "
                        + TerminalText.prose(stay.reason), first: "  ", options)
            }
            if plan.stays.count > maximumStays {
                lines.append("  and \(plan.stays.count - maximumStays) more: --json has all")
            }
        }
        for reason in plan.reasons.prefix(maximumStays) {
            lines += wrap("not exact: \(TerminalText.prose(reason))", first: "note: ", options)
        }
        return text(lines)
    }

    private static var maximumStays: Int { 20 }

    /// What a figure adds up from.
    public static func explanation(_ answer: Explanation, _ options: RenderOptions) -> String {
        let name = answer.name == answer.id ? "" : " \(TerminalText.name(answer.name))"
        var lines = [
            "\(options.paint("\(TerminalText.name(answer.kind))\(name)", .bold)) \(short(answer.id))",
            "of \(TerminalText.name(answer.engine)) (\(TerminalText.name(answer.driver))) at "
                + TerminalText.name(answer.root), "",
        ]
        var table = TextTable([
            .text("PART"), .name("PATH", shrinksTo: 16), .number("DISK"), .number("SIZE"),
            .number("SHARED BY"),
            .text("KNOWN BY"), .text("STATE"), .text("LAST LOOK", dropRank: 1),
        ])
        for term in answer.terms {
            table.add([
                "\(TerminalText.name(term.what))", "\(TerminalText.name(term.path))",
                "\(options.size(term.diskBytes))", "\(options.size(term.sizeBytes))", "\(term.sharedBy)",
                "\(TerminalText.name(term.source))", state(term.state),
                "\(term.lookedAt.map(options.moment) ?? "never")",
            ])
        }
        lines += table.lines(options)
        lines.append("")
        lines.append(
            options.paint(
                "together: \(options.size(answer.diskBytes)) on disk, \(options.size(answer.sizeBytes)) apparent",
                .bold))
        if let reason = answer.reason {
            lines += wrap(TerminalText.prose(reason), first: "\(answer.state.rawValue): ", options)
        }
        for note in answer.notes { lines += wrap(TerminalText.prose(note), first: "- ", options) }
        return text(lines + notExact(answer.exact, options))
    }
}
