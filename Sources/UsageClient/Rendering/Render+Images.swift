public import Wire

extension Render {
    /// The untagged images that others are built on are listed only `withSteps`.
    public static func images(_ list: ImageList, withSteps: Bool, _ options: RenderOptions) -> String {
        guard !list.images.isEmpty else { return text(["no images"] + notExact(list.exact, options)) }
        let engines = severalEngines(list.images.lazy.map(\.engine))
        let parents = Set(list.images.compactMap(\.parent))
        let shown = list.images.filter { withSteps || !$0.names.isEmpty || !parents.contains($0.id) }
        var table = TextTable(
            [
                .name("NAME", shrinksTo: 12), .text("ID"), .number("SIZE"), .number("OWN"),
                .number("SHARED"), .number("UNIQUE"), .number("CONTAINERS", dropRank: 1),
            ]
                + (engines ? [.text("ENGINE", dropRank: 2)] : []))
        for image in shown {
            let names = image.names.isEmpty ? ["<none>"] : image.names
            for name in names {
                table.add(
                    [
                        "\(TerminalText.name(name))", "\(short(image.id))",
                        "\(options.size(image.virtualSizeBytes))", "\(options.size(image.sizeBytes))",
                        "\(options.size(image.sharedBytes))", "\(options.size(image.uniqueBytes))",
                        "\(image.containers)",
                    ] + (engines ? ["\(TerminalText.name(image.engine))"] : []))
            }
        }
        let hidden = list.images.count - shown.count
        let steps = hidden == 0 ? [] : ["", "\(count(hidden, "build step")) not listed; --all lists them"]
        let inexact = list.images.filter { $0.state != .exact }
        let reasons = inexact.prefix(5).flatMap { image in
            wrap(
                "\(image.state.rawValue)\(image.reason.map { ": " + TerminalText.prose($0) } ?? "")",
                first: "\(short(image.id)): ", options)
        }
        return text(table.lines(options) + steps + reasons + notExact(list.exact, options))
    }

    /// The forest as `docker images --tree` drew it, each node with its own size as well.
    public static func tree(_ tree: Tree, _ options: RenderOptions) -> String {
        guard !tree.roots.isEmpty else { return text(["no images"] + notExact(tree.exact, options)) }
        var lines: [String] = []
        let engines = tree.roots.map(\.engine)
        if severalEngines(engines) {
            var seen: Set<String> = []
            for engine in engines where seen.insert(engine).inserted {
                lines.append(options.paint(options.fit(TerminalText.name(engine)), .bold))
                draw(tree.roots.filter { $0.engine == engine }, "", &lines, options)
            }
        } else {
            draw(tree.roots, "", &lines, options)
        }
        return text(lines + notExact(tree.exact, options))
    }

    private static func draw(
        _ nodes: [Tree.Node], _ prefix: String, _ lines: inout [String], _ options: RenderOptions
    ) {
        for (position, node) in nodes.enumerated() {
            let isLast = position == nodes.count - 1
            let below = prefix + (isLast ? "  " : "│ ")
            lines.append(
                contentsOf: self.lines(
                    node, prefix + (isLast ? "└─" : "├─"), below + (node.children.isEmpty ? "  " : "│ "),
                    options))
            draw(node.children, below, &lines, options)
        }
    }

    /// A node on one line, or with its names on a second one, which begins with `below`, where one is too short.
    private static func lines(
        _ node: Tree.Node, _ prefix: String, _ below: String, _ options: RenderOptions
    ) -> [String] {
        var figures = "\(short(node.id)) Size: \(options.bytes.string(node.sizeBytes, separator: " "))"
        figures += " Virtual Size: \(options.bytes.string(node.virtualSizeBytes, separator: " "))"
        if node.kind == .layer { figures += " (layer)" }
        var uses: [String] = []
        if !node.names.isEmpty {
            uses.append("Tags: " + node.names.map(TerminalText.name).joined(separator: ", "))
        }
        if node.containers > 0 { uses.append("Containers: \(node.containers)") }

        let whole = ([figures] + uses).joined(separator: " ")
        let first = branch(prefix, options)
        guard let width = options.width,
            TerminalText.columns(first) + TerminalText.columns(whole) > width, !uses.isEmpty
        else { return [first + cut(whole, after: first, options)] }
        let second = branch(below, options)
        return [
            first + cut(figures, after: first, options),
            second + cut(uses.joined(separator: " "), after: second, options),
        ]
    }

    /// The lines of the tree before a node; of a deep chain the end, so that the figures have room.
    private static func branch(_ prefix: String, _ options: RenderOptions) -> String {
        guard let width = options.width, TerminalText.columns(prefix) > width / 3 else { return prefix }
        return "…" + String(prefix.suffix(max(2, width / 3 - 1)))
    }

    private static func cut(_ label: String, after prefix: String, _ options: RenderOptions) -> String {
        guard let width = options.width else { return label }
        return TerminalText.cutEnd(label, to: max(12, width - TerminalText.columns(prefix)))
    }

    /// The steps of an image, the newest first as `docker history` prints them.
    public static func history(_ detail: ImageDetail, _ options: RenderOptions) -> String {
        let image = detail.image
        let name = options.brief(image.names.first.map(TerminalText.name) ?? short(image.id), 48)
        let now = Timestamp(detail.time)
        var table = TextTable([
            .text("IMAGE", dropRank: 1), .text("CREATED", dropRank: 2),
            .sentence("CREATED BY", shrinksTo: 20),
            .number("SIZE"), .number("TOTAL"),
        ])
        for step in detail.history.reversed() {
            let created = step.created.flatMap(Timestamp.init)
            let age = created.flatMap { created in now.map { created.age(before: $0) + " ago" } } ?? "-"
            table.add([
                "\(step.image.map(short) ?? "<missing>")", "\(age)", "\(instruction(step.instruction))",
                "\(options.size(step.sizeBytes))", "\(options.size(step.runningSizeBytes))",
            ])
        }
        var lines = [
            "\(options.paint(name, .bold)): \(count(detail.history.count, "step")), the newest first", "",
        ]
        lines += detail.history.isEmpty ? ["no history in the store"] : table.lines(options)
        lines += ["", "virtual size \(full(image.virtualSizeBytes, options))"]
        if let total = detail.history.last?.runningSizeBytes, total != image.virtualSizeBytes {
            lines += wrap(
                "the steps add up to \(full(total, options)): the store's history and its layers disagree",
                first: "note: ", options)
        }
        return text(lines + notExact(detail.exact, options))
    }

    /// A step on one line, without the shell that the classic builder put around it.
    static func instruction(_ instruction: String) -> String {
        let line = TerminalText.oneLine(instruction)
        let shell = "/bin/sh -c "
        let noOperation = "/bin/sh -c #(nop) "
        if line.hasPrefix(noOperation) { return String(line.dropFirst(noOperation.count)) }
        if line.hasPrefix(shell) { return "RUN " + line.dropFirst(shell.count) }
        return line.isEmpty ? "-" : line
    }
}
