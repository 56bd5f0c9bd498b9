internal import Wire

extension Render {
    public static func doctor(_ report: DoctorReport, _ options: RenderOptions) -> String {
        var lines: [String] = []
        if let facts = report.facts { lines += supplies(facts, options) + [""] }
        if report.findings.isEmpty {
            lines.append(options.paint("nothing found that keeps figures from being exact", .green))
        } else {
            lines.append(options.paint(count(report.findings.count, "finding"), .bold))
        }
        for finding in report.findings { lines += [""] + paragraph(finding, options) }
        return text(lines)
    }

    private static func supplies(_ facts: DoctorFacts, _ options: RenderOptions) -> [String] {
        let kernel = facts.kernel.map { " on Linux \(TerminalText.name($0))" } ?? ""
        let state = options.paint(facts.exact ? "exact" : "not exact", facts.exact ? .green : .yellow)
        var table = TextTable([.text("LIMIT OF"), .number("USED"), .number("NEEDED"), .number("ALLOWED")])
        func row(_ name: String, _ supply: DoctorFacts.Supply) {
            table.add([
                "\(name)", "\(supply.used)", "\(supply.needed)",
                "\(supply.limit.map { "\($0.value)" } ?? "unknown")",
            ])
        }
        row("watches", facts.watches)
        row("inotify instances", facts.instances)
        row("open files", facts.openFiles)
        row("files in memory", facts.inodes)
        let queue = facts.queue
        let length = (queue.length ?? queue.limit?.value).map { "of \($0) events " } ?? ""
        return [
            "\(options.paint("usaged \(options.brief(TerminalText.name(facts.version)))", .bold))\(kernel), "
                + "user \(facts.uid)  \(state)", "",
        ] + table.lines(options) + [
            "", "event queue \(length)ran over \(queue.overflows) times",
        ]
    }

    private static func paragraph(_ finding: Finding, _ options: RenderOptions) -> [String] {
        let style: TextStyle = finding.severity == .problem ? .red : .yellow
        var lines = [options.paint("\(finding.severity.rawValue): \(TerminalText.name(finding.id))", style)]
        for part in [finding.what] + finding.why.split(separator: "\n").map(String.init) {
            lines += wrap(TerminalText.prose(part), first: "  ", options)
        }
        // Not wrapped: they are to be copied.
        lines += finding.commands.map { "    " + options.paint(TerminalText.prose($0), .cyan) }
        return lines
    }
}
