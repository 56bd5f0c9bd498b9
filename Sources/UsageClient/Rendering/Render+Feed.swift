public import Wire

extension Render {
    /// One line for an event; nil for one that tells people nothing.
    public static func event(_ event: FeedEvent, _ options: RenderOptions) -> String? {
        guard let body = body(event, options) else { return nil }
        let time = options.clock(event.time)
        let room = options.width.map { max(20, $0 - TerminalText.columns(time) - 1) }
        let cut = room.map { TerminalText.cutEnd(body.text, to: $0) } ?? body.text
        return "\(options.paint(time, .dim)) \(options.paint(cut, body.style))\n"
    }

    private static func body(_ event: FeedEvent, _ options: RenderOptions) -> (
        text: String, style: TextStyle
    )? {
        switch event.type {
        case .heartbeat: nil
        case .snapshot: (snapshot(event, options), .plain)
        case .usage: usage(event, options).map { ($0, .plain) }
        case .containerAdded:
            event.container.map {
                (
                    "container \(TerminalText.name($0.name)) added, \(options.size($0.diskBytes)) "
                        + "on \(imageName($0.image))", .green
                )
            }
        case .containerRemoved:
            event.container.map {
                (
                    "container \(TerminalText.name($0.name)) removed, \(options.size($0.diskBytes)) given back",
                    .yellow
                )
            }
        case .imageAdded:
            event.image.map { ("image \(title($0)) added, own step \(options.size($0.sizeBytes))", .green) }
        case .imageRemoved: event.image.map { ("image \(title($0)) removed", .yellow) }
        case .alert:
            event.alert.map {
                (
                    "\($0.severity.rawValue) \($0.state.rawValue): \(TerminalText.prose($0.message))",
                    $0.state == .firing ? severityStyle($0.severity) : .green
                )
            }
        case .source:
            event.source.map {
                (
                    "\(TerminalText.name($0.engine)) \(TerminalText.name($0.root)) is \($0.state.rawValue)"
                        + ($0.reason.map { ": " + TerminalText.prose($0) } ?? ""),
                    $0.state == .exact ? .green : .yellow
                )
            }
        }
    }

    private static func title(_ image: Image) -> String {
        image.names.first.map(TerminalText.name) ?? short(image.id)
    }

    private static func snapshot(_ event: FeedEvent, _ options: RenderOptions) -> String {
        var text = "snapshot"
        if let lost = event.lost, lost > 0 { text += " (\(lost) events lost)" }
        if let status = event.status {
            text +=
                ": \(count(status.containers.count, "container")), "
                + "\(options.size(status.totals.containers.diskBytes)) writable; "
                + "\(count(status.images.count, "image")), "
                + "\(options.size(status.totals.imageLayers.diskBytes)) in layers; "
                + (status.exact ? "exact" : "not exact")
        }
        return text
    }

    private static func usage(_ event: FeedEvent, _ options: RenderOptions) -> String? {
        guard let container = event.container else { return nil }
        let name = TerminalText.name(container.name)
        let held = container.deletedOpen.map {
            $0.diskBytes > 0 ? "; \(options.size($0.diskBytes)) deleted, still open" : ""
        }
        let size = options.size(container.diskBytes) + (held ?? "")
        guard let change = event.change, change.diskBytes != 0 || change.sizeBytes != 0 else {
            return "\(name) changed, still \(size)"
        }
        var text =
            change.diskBytes != 0
            ? "\(options.change(change.diskBytes)) \(name), now \(size)"
            : "\(options.change(change.sizeBytes)) in size \(name), still \(size) on the disk"
        if let paths = event.paths, let first = paths.first {
            text += "  \(TerminalText.prose(first.path)) \(options.change(first.growthBytes))"
            if paths.count > 1 { text += " and \(paths.count - 1) more" }
        }
        return text
    }
}
