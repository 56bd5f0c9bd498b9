public import Wire

extension Render {
    public static func inspect(_ detail: ImageDetail, _ options: RenderOptions) -> String {
        let image = detail.image
        var fields = FieldList(options)
        fields.add("Image", image.names.first.map(TerminalText.name) ?? "<none>")
        fields.add("Id", TerminalText.name(image.id))
        for name in image.names.dropFirst() { fields.add("Name", TerminalText.name(name)) }
        fields.add("Engine", TerminalText.name(image.engine))
        fields.add("Parent", image.parent.map(TerminalText.name) ?? "-")
        for parent in detail.parents.dropFirst() { fields.add("", TerminalText.name(parent)) }
        if let created = image.created { fields.add("Created", options.moment(created)) }
        let platform = [detail.os, detail.architecture].compactMap(\.self).map(TerminalText.name)
        if !platform.isEmpty { fields.add("Platform", platform.joined(separator: "/")) }
        fields.add("Size", "\(full(image.sizeBytes, options)), its own step")
        fields.add("VirtualSize", "\(full(image.virtualSizeBytes, options)), with its base")
        fields.add("DiskSize", "\(full(image.diskBytes, options)), allocated")
        fields.add("Shared", "\(full(image.sharedBytes, options)), with other images")
        fields.add("Unique", full(image.uniqueBytes, options))
        fields.add("Containers", "\(image.containers)")
        fields.add("State", state(image.state, image.reason))
        fields.add("Layers", "\(image.layers.count), the lowest first")
        for layer in image.layers { fields.add("", TerminalText.name(layer)) }
        return text(fields.lines + notExact(detail.exact, options))
    }

    public static func inspect(_ detail: ContainerDetail, _ options: RenderOptions) -> String {
        let container = detail.container
        var fields = FieldList(options)
        fields.add("Container", TerminalText.name(container.name))
        fields.add("Id", TerminalText.name(container.id))
        fields.add("Engine", TerminalText.name(container.engine))
        fields.add("Image", imageName(container.image))
        fields.add("ImageId", TerminalText.name(detail.imageID))
        if let created = container.created { fields.add("Created", options.moment(created)) }
        fields.add("Running", container.running ? "yes" : "no")
        fields.add("DiskSize", "\(full(container.diskBytes, options)), allocated by its writable layer")
        fields.add("Size", "\(full(container.sizeBytes, options)), its writable layer")
        fields.add("VirtualSize", "\(full(container.virtualSizeBytes, options)), with its image")
        if let deleted = container.deletedOpen, deleted.count > 0 {
            fields.add(
                "DeletedOpen", "\(full(deleted.diskBytes, options)), deleted but still open, not in DiskSize")
        }
        fields.add("Logs", full(container.logBytes, options))
        if let path = detail.logPath { fields.add("LogPath", TerminalText.prose(path)) }
        let growth = container.growth
        fields.add(
            "Growth",
            "\(options.change(growth.minute)) in 1m, \(options.change(growth.hour)) in 1h, "
                + "\(options.change(growth.day)) in 24h")
        fields.add("State", state(container.state, container.reason))
        if let layer = detail.layer { add(layer, "Layer", to: &fields, options) }
        if let layer = detail.initLayer { add(layer, "InitLayer", to: &fields, options) }
        fields.add("Chain", "\(detail.chain.count) image layers, the lowest first")
        for layer in detail.chain { fields.add("", TerminalText.name(layer)) }
        for (name, value) in detail.labels.sorted(by: { $0.key < $1.key }).prefix(100) {
            fields.add("Label", "\(TerminalText.name(name))=\(TerminalText.oneLine(value))")
        }
        return text(
            fields.lines + mounts(detail.mounts, options) + deletedOpenTable(container.deletedOpen, options)
                + grown(detail.top, options) + deletedOpenNote(detail.deletedOpen, options)
                + notExact(detail.exact, options))
    }

    private static func add(
        _ layer: Layer, _ name: String, to fields: inout FieldList, _ options: RenderOptions
    ) {
        fields.add(name, TerminalText.name(layer.id))
        fields.add("", TerminalText.prose(layer.directory))
        fields.add("", "\(options.size(layer.diskBytes)) allocated, \(layer.inodes) inodes")
    }

    private static func state(_ state: SourceState, _ reason: String?) -> String {
        state.rawValue + (reason.map { ": " + TerminalText.prose($0) } ?? "")
    }

    private static func mounts(_ mounts: [ContainerDetail.Mount], _ options: RenderOptions) -> [String] {
        guard !mounts.isEmpty else { return [] }
        var table = TextTable([
            .text("MOUNT"), .name("NAME", shrinksTo: 8), .name("SOURCE"), .name("DESTINATION"),
        ])
        for mount in mounts {
            table.add([
                "\(TerminalText.name(mount.kind))", "\(mount.name.map(TerminalText.name) ?? "-")",
                "\(TerminalText.prose(mount.source))", "\(TerminalText.prose(mount.destination))",
            ])
        }
        return [""] + table.lines(options)
    }

    private static func grown(_ top: [PathGrowth], _ options: RenderOptions) -> [String] {
        guard !top.isEmpty else { return [] }
        var table = TextTable([.number("GREW"), .name("PATH", shrinksTo: 16)])
        for entry in top {
            table.add(["\(options.change(entry.growthBytes))", "\(TerminalText.prose(entry.path))"])
        }
        return [""] + table.lines(options)
    }
}

/// Names and values under one another.
struct FieldList {
    private static let indent = 13

    private(set) var lines: [String] = []
    private let options: RenderOptions

    init(_ options: RenderOptions) {
        self.options = options
    }

    /// Adds a value; a long one goes on below itself, for nothing of an id or path may be cut here.
    mutating func add(_ name: String, _ value: String) {
        let label = name + String(repeating: " ", count: max(1, Self.indent - name.utf8.count))
        lines.append((options.paint(label, .dim) + value).trimmingTrailingSpaces())
    }
}
