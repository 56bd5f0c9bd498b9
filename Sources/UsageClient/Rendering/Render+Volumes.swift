public import Wire

extension Render {
    public static func volumes(_ list: VolumeList, _ options: RenderOptions) -> String {
        guard !list.volumes.isEmpty else { return text(["no volumes"] + notExact(list.exact, options)) }
        let engines = severalEngines(list.volumes.lazy.map(\.engine))
        var table = TextTable(
            [
                .name("NAME", keeps: 24), .number("DISK"), .number("SIZE", dropRank: 1),
                .number("CONTAINERS"),
                .text("STATE"), .text("DRIVER", dropRank: 2),
            ] + (engines ? [.text("ENGINE", dropRank: 3)] : []))
        for volume in list.volumes.sorted(by: { ($1.diskBytes, $0.name) < ($0.diskBytes, $1.name) }) {
            table.add(
                [
                    "\(imageName(volume.name))",
                    "\(volume.elsewhere ? "elsewhere" : options.size(volume.diskBytes))",
                    "\(volume.elsewhere ? "" : options.size(volume.sizeBytes))", "\(volume.containers.count)",
                    state(volume.state), "\(TerminalText.name(volume.driver))",
                ] + (engines ? ["\(TerminalText.name(volume.engine))"] : []))
        }
        return text(table.lines(options) + notExact(list.exact, options))
    }

    public static func orphans(_ list: OrphanList, _ options: RenderOptions) -> String {
        guard !list.orphans.isEmpty else { return text(["no orphans"] + notExact(list.exact, options)) }
        var table = TextTable([
            .name("PATH", keeps: 32), .number("DISK"), .number("SIZE", dropRank: 1), .text("SINCE"),
            .text("STATE"),
        ])
        for orphan in list.orphans.sorted(by: { ($1.diskBytes, $0.path) < ($0.diskBytes, $1.path) }) {
            table.add([
                "\(TerminalText.name(orphan.path))", "\(options.size(orphan.diskBytes))",
                "\(options.size(orphan.sizeBytes))", "\(options.moment(orphan.since))", state(orphan.state),
            ])
        }
        return text(table.lines(options) + notExact(list.exact, options))
    }
}
