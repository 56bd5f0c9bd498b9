public import Wire

extension Render {
    public static func markSet(_ mark: MarkSet, _ options: RenderOptions) -> String {
        let name = TerminalText.name(mark.mark)
        return text(
            ["marked \(name) at \(options.moment(mark.time)); compare with: usage-client since \(name)"]
                + notExact(mark.exact, options))
    }

    /// What changed since a mark, and how much of what `df` moved it explains.
    public static func since(_ since: Since, _ options: RenderOptions) -> String {
        let age = Timestamp(since.since).flatMap { then in Timestamp(since.time).map { then.age(before: $0) }
        }
        var lines = [
            "since \(options.paint(options.brief(TerminalText.name(since.mark), 32), .bold)): \(options.moment(since.since))"
                + (age.map { ", \($0) ago" } ?? "")
        ]
        lines += layers(since.layersAdded, "LAYERS ADDED", options)
        lines += layers(since.layersRemoved, "LAYERS REMOVED", options)
        lines += changes(since.containers, options)
        if since.layersAdded.isEmpty, since.layersRemoved.isEmpty, since.containers.isEmpty {
            lines += ["", "no layer or container changed"]
        }
        lines += [
            "",
            "together \(options.change(since.totals.diskBytes)) on the disk, "
                + "\(options.change(since.totals.sizeBytes)) in size",
        ]
        lines += moved(since.filesystems, options)
        return text(lines + notExact(since.exact, options))
    }

    private static func layers(
        _ layers: [Since.LayerChange], _ title: String, _ options: RenderOptions
    ) -> [String] {
        guard !layers.isEmpty else { return [] }
        var table = TextTable([
            .sentence(title, shrinksTo: 20), .name("IMAGES", shrinksTo: 8), .number("DISK"), .number("SIZE"),
        ])
        var disk: Int64 = 0
        var size: Int64 = 0
        for layer in layers {
            let step =
                layer.instruction.map(instruction) ?? "\(TerminalText.name(layer.kind)) \(short(layer.id))"
            table.add([
                "\(step)", "\(layer.images.map(TerminalText.name).joined(separator: ", "))",
                "\(options.change(layer.diskBytes))", "\(options.change(layer.sizeBytes))",
            ])
            disk = disk.plus(layer.diskBytes)
            size = size.plus(layer.sizeBytes)
        }
        table.add([
            TextTable.Cell("sum of \(count(layers.count, "layer"))", .bold), "",
            TextTable.Cell(options.change(disk), .bold), TextTable.Cell(options.change(size), .bold),
        ])
        return [""] + table.lines(options)
    }

    private static func changes(_ containers: [Since.ContainerChange], _ options: RenderOptions) -> [String] {
        guard !containers.isEmpty else { return [] }
        var table = TextTable([
            .name("CONTAINER"), .text("ID", dropRank: 1), .text("CHANGE"), .number("DISK"), .number("SIZE"),
        ])
        for container in containers {
            table.add([
                "\(TerminalText.name(container.name))", "\(short(container.id))",
                "\(container.change.rawValue)",
                "\(options.change(container.diskBytes))", "\(options.change(container.sizeBytes))",
            ])
        }
        return [""] + table.lines(options)
    }

    private static func moved(_ systems: [Since.FileSystemChange], _ options: RenderOptions) -> [String] {
        guard !systems.isEmpty else { return [] }
        var table = TextTable([
            .name("FILE SYSTEM"), .number("DF MOVED"), .number("EXPLAINED"), .number("THE REST"),
        ])
        for system in systems {
            table.add([
                "\(TerminalText.name(system.mount))", "\(options.change(system.usedBytes))",
                "\(options.change(system.attributedBytes))", "\(options.change(system.otherBytes))",
            ])
        }
        let note = wrap(
            "metadata and journal of the file system, and whatever else the host wrote meanwhile",
            first: "the rest: ", options)
        return [""] + table.lines(options) + note
    }
}
