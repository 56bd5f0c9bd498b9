public import Wire

extension Render {
    public static func containers(_ list: ContainerList, _ options: RenderOptions) -> String {
        guard !list.containers.isEmpty else {
            return text(["no containers"] + notExact(list.exact, options))
        }
        return text(
            containerTable(byDisk(list.containers), options) + deletedOpenNote(list.deletedOpen, options)
                + notExact(list.exact, options))
    }

    static func containerTable(_ containers: [Container], _ options: RenderOptions) -> [String] {
        let engines = severalEngines(containers.lazy.map(\.engine))
        let deleted = containers.contains { ($0.deletedOpen?.count ?? 0) > 0 }
        var table = TextTable(
            [
                .name("NAME", keeps: 24), .text("ID", dropRank: 1), .name("IMAGE"),
                .number("WRITABLE"),
            ] + (deleted ? [.number("DELETED OPEN")] : []) + [
                .number("SIZE", dropRank: 2), .number("VIRTUAL", dropRank: 3),
                .number("1m"),
                .number("1h"), .text("STATE"), .text("UP", dropRank: 5),
            ]
                + (engines ? [.text("ENGINE", dropRank: 4)] : []))
        for container in containers {
            table.add(
                [
                    TextTable.Cell(TerminalText.name(container.name), container.running ? .plain : .dim),
                    "\(short(container.id))", "\(imageName(container.image))",
                    "\(options.size(container.diskBytes))",
                ] + (deleted ? ["\(container.deletedOpen.map { options.size($0.diskBytes) } ?? "-")"] : [])
                    + [
                        "\(options.size(container.sizeBytes))",
                        "\(options.size(container.virtualSizeBytes))",
                        growth(container.growth.minute, options),
                        growth(container.growth.hour, options), state(container.state),
                        "\(container.running ? "yes" : "no")",
                    ] + (engines ? ["\(TerminalText.name(container.engine))"] : []))
        }
        return table.lines(options)
    }
}
