public import Wire

extension Render {
    public static func alerts(_ list: AlertList, _ options: RenderOptions) -> String {
        let rules =
            list.rules.isEmpty
            ? "no rules in force"
            : "rules in force: " + list.rules.map(TerminalText.name).joined(separator: ", ")
        guard !list.alerts.isEmpty else { return text(wrap("no alerts; \(rules)", first: "", options)) }
        let firing = list.alerts.filter { $0.state == .firing }
        let resolved = list.alerts.filter { $0.state == .resolved }
        var lines = firing.isEmpty ? ["no alert is firing"] : alertTable(firing, "FIRING", list.time, options)
        if !resolved.isEmpty { lines += [""] + alertTable(resolved, "RESOLVED", list.time, options) }
        lines += [""] + wrap(rules, first: "", options)
        return text(lines + notExact(list.exact, options))
    }

    private static func alertTable(
        _ alerts: [Alert], _ title: String, _ time: String, _ options: RenderOptions
    ) -> [String] {
        var table = TextTable([
            .text(title), .name("RULE", shrinksTo: 8), .name("CONTAINER"), .number("VALUE"), .number("LIMIT"),
            .number("WINDOW", dropRank: 1), .number("AGE"),
        ])
        for alert in alerts {
            let age = Timestamp(alert.since).flatMap { then in Timestamp(time).map { then.age(before: $0) } }
            table.add([
                TextTable.Cell(
                    alert.severity.rawValue, alert.state == .firing ? severityStyle(alert.severity) : .dim),
                "\(TerminalText.name(alert.rule))",
                "\(alert.container.isEmpty ? "-" : TerminalText.name(alert.container))",
                "\(options.size(alert.valueBytes))", "\(options.size(alert.limitBytes))",
                "\(alert.windowSeconds.map { Timestamp.duration(Int64($0)) } ?? "-")", "\(age ?? "-")",
            ])
        }
        var lines = table.lines(options)
        for alert in alerts {
            lines += wrap(TerminalText.prose(alert.message), first: "  ", options)
            for path in alert.top.prefix(3) {
                let line = "    \(options.change(path.growthBytes))  \(TerminalText.prose(path.path))"
                lines.append(options.width.map { TerminalText.cutMiddle(line, to: $0) } ?? line)
            }
        }
        return lines
    }
}
