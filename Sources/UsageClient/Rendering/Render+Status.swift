public import Wire

extension Render {
    /// How many containers `status` shows.
    public static let topContainers = 10

    public static func status(_ status: Status, _ options: RenderOptions) -> String {
        var lines = header(status, options)
        lines += sources(status, options)
        lines += fileSystems(status.filesystems, options)
        lines += deletedOpen(status.deletedOpen, on: status.filesystems, options)
        lines += totals(status, options)
        lines += topContainers(status, options)
        lines += firing(status.alerts, options)
        return text(lines)
    }

    static func header(_ status: Status, _ options: RenderOptions) -> [String] {
        let name = "usaged \(options.brief(TerminalText.name(status.version)))"
        let time = "as of \(options.moment(status.time))"
        let dot = options.paint("●", status.exact ? .green : .yellow)
        let word = status.exact ? "exact" : "not exact"
        var lines = [
            "\(dot) \(options.paint(name, .bold))  \(options.paint(word, status.exact ? .green : .yellow))  \(time)"
        ]
        for reason in status.reasons {
            lines += wrap(TerminalText.prose(reason), first: "  ", options)
        }
        if let progress = status.progress { lines.append(progressLine(progress, options)) }
        return lines
    }

    static func progressLine(_ progress: Progress, _ options: RenderOptions) -> String {
        let total = max(0, progress.layersTotal)
        let done = min(max(0, progress.layersMeasured), total)
        let cells = 20
        let filled = total == 0 ? 0 : Int(Double(done) / Double(total) * Double(cells))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
        return "  measuring layers \(done) of \(total)  \(options.paint(bar, .cyan))"
    }

    private static func sources(_ status: Status, _ options: RenderOptions) -> [String] {
        let sources = status.sources
        guard !sources.isEmpty else {
            // Just started: what there is is not known yet.
            return [""] + (status.exact ? noStore(options) : ["no store has been read yet"])
        }
        var table = TextTable([
            .text("SOURCE"), .name("ROOT", shrinksTo: 16), .text("STATE"), .number("WATCHES"),
        ])
        for source in sources {
            table.add([
                "\(TerminalText.name(source.engine)) \(TerminalText.name(source.driver))",
                "\(TerminalText.name(source.root))", state(source.state), "\(source.watches)",
            ])
        }
        var lines = [""] + table.lines(options)
        for source in sources {
            let first = "  \(options.brief(TerminalText.name(source.engine))): "
            if let reason = source.reason {
                lines += wrap(TerminalText.prose(reason), first: first, options)
            }
            for problem in source.problems.prefix(5) {
                let object = TerminalText.prose(problem.object)
                let path = TerminalText.prose(problem.path)
                lines += wrap(
                    "\(object) not read: \(TerminalText.prose(problem.reason)) (\(path))", first: first,
                    options)
            }
            if source.problems.count > 5 {
                lines.append("\(first)and \(source.problems.count - 5) more objects not read")
            }
        }
        return lines
    }

    /// What to do where the daemon follows nothing.
    private static func noStore(_ options: RenderOptions) -> [String] {
        let advice = [
            """
            Docker's was looked for at data-root of /etc/docker/daemon.json (or of the file that docker.daemon_json \
            in the configuration of usaged names), else at /var/lib/docker. usaged goes on looking.
            """,
            """
            If it is elsewhere, name it: stores: [docker=/PATH] in /etc/usaged/conf.d/50-local.yaml, then \
            sudo systemctl restart usaged; or usaged --store docker=/PATH where it is started by hand.
            """,
        ]
        return ["no store of a container engine found on this host"]
            + advice.flatMap { wrap($0, first: "  ", options) }
    }

    private static func fileSystems(_ systems: [FileSystem], _ options: RenderOptions) -> [String] {
        guard !systems.isEmpty else { return [] }
        var table = TextTable([
            .name("FILE SYSTEM", shrinksTo: 12), .number("SIZE"), .number("USED"), .number("USE%"),
            .number("AVAILABLE"), .number("ATTRIBUTED"), .number("OTHER"),
        ])
        for system in systems {
            table.add([
                "\(TerminalText.name(system.mount))", "\(options.size(system.sizeBytes))",
                "\(options.size(system.usedBytes))", "\(useShare(system))",
                "\(options.size(system.availableBytes))", "\(options.size(system.attributed.sum))",
                "\(options.size(system.otherBytes))",
            ])
        }
        return [""] + table.lines(options)
    }

    /// `df`'s Use%: used of what users other than root may use at all.
    static func useShare(_ system: FileSystem) -> String {
        percent(system.usedBytes, of: system.usedBytes.plus(system.availableBytes))
    }

    private static func totals(_ status: Status, _ options: RenderOptions) -> [String] {
        let totals = status.totals
        var table = TextTable([.text("CLASS"), .number("COUNT"), .number("DISK"), .number("SIZE")])
        for (name, total) in [
            ("image layers", totals.imageLayers), ("containers", totals.containers),
            ("container logs", totals.logs), ("volumes", totals.volumes), ("build cache", totals.buildCache),
            ("content blobs", totals.content), ("overhead", totals.overhead), ("in flight", totals.inFlight),
            ("orphans", totals.orphans),
        ] {
            table.add([
                "\(name)", "\(total.count)", "\(options.size(total.diskBytes))",
                "\(options.size(total.sizeBytes))",
            ])
        }
        return [""] + table.lines(options)
    }

    private static func topContainers(_ status: Status, _ options: RenderOptions) -> [String] {
        let omitted = status.omitted?.containers ?? 0
        guard !status.containers.isEmpty || omitted > 0 else { return ["", "no containers"] }
        let top = byDisk(status.containers).prefix(topContainers)
        var table = TextTable([
            .name("CONTAINER"), .name("IMAGE"), .number("DISK"), .number("LOGS", dropRank: 1), .number("1m"),
            .number("1h"), .text("STATE"),
        ])
        for container in top {
            table.add([
                "\(TerminalText.name(container.name))", "\(imageName(container.image))",
                "\(options.size(container.diskBytes))", "\(options.size(container.logBytes))",
                growth(container.growth.minute, options), growth(container.growth.hour, options),
                state(container.state),
            ])
        }
        var lines = [""] + table.lines(options)
        let rest = status.containers.count - top.count + omitted
        if rest > 0 { lines.append("and \(rest) more: usage-client containers") }
        return lines
    }

    static func byDisk(_ containers: [Container]) -> [Container] {
        containers.sorted { ($1.diskBytes, $0.name, $0.id) < ($0.diskBytes, $1.name, $1.id) }
    }

    /// A name as it is, an id cut short.
    static func imageName(_ image: String) -> String {
        let isID =
            image.utf8.count == 64 && image.utf8.allSatisfy { Unicode.Scalar($0).properties.isASCIIHexDigit }
        return isID ? short(image) : TerminalText.name(image)
    }

    private static func firing(_ alerts: [Alert], _ options: RenderOptions) -> [String] {
        let firing = alerts.filter { $0.state == .firing }
        guard !firing.isEmpty else { return [] }
        let title = "\(count(firing.count, "alert")) firing"
        return ["", options.paint(title, .bold)] + firing.flatMap { alertLines($0, options) }
    }

    static func alertLines(_ alert: Alert, _ options: RenderOptions) -> [String] {
        let severity = alert.severity.rawValue
        let first = "  \(severity)\(String(repeating: " ", count: 10 - severity.utf8.count))"
        var lines = wrap(TerminalText.prose(alert.message), first: first, options)
        lines[0] = lines[0].replacingFirst(
            severity, with: options.paint(severity, severityStyle(alert.severity)))
        return lines
    }

    static func severityStyle(_ severity: Alert.Severity) -> TextStyle {
        severity == .critical ? .alarm : .yellow
    }
}

extension FileSystem.Attributed {
    /// The classes by the words that people read, in the order of the contract; without bytes where they are not
    /// known.
    var classes: [(name: String, bytes: Int64?)] {
        [
            ("image layers", imageLayers), ("container layers", containerLayers),
            ("container logs", containerLogs), ("volumes", volumes), ("build cache", buildCache),
            ("content blobs", content), ("overhead", overhead), ("orphans", orphans),
            ("in flight", inFlight), ("deleted, still open", deletedOpen),
        ]
    }
}

extension String {
    func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        var copy = self
        copy.replaceSubrange(range, with: other)
        return copy
    }
}
