internal import Wire

/// The picture that `watch` shows: the last snapshot, kept current by events.
struct LiveView {
    enum Order: String, CaseIterable {
        case disk, minute = "1m", hour = "1h", name

        var next: Order {
            let all = Order.allCases
            let position = all.firstIndex(of: self) ?? 0
            return all[(position + 1) % all.count]
        }
    }

    private(set) var status: Status?
    var order = Order.disk
    var isConnected = true

    /// Takes an event in; whether the picture changed.
    mutating func apply(_ event: FeedEvent) -> Bool {
        if event.type == .snapshot, let status = event.status {
            self.status = status
            return true
        }
        status?.time = event.time
        switch event.type {
        case .snapshot, .heartbeat: break
        case .usage, .containerAdded: event.container.map { put($0) }
        case .containerRemoved: event.container.map { remove($0) }
        case .imageAdded: event.image.map { put($0) }
        case .imageRemoved:
            event.image.map { gone in
                status?.images.removeAll { $0.isSame(as: gone) }
            }
        case .alert: event.alert.map { put($0) }
        case .source: event.source.map { put($0) }
        }
        return true
    }

    /// Takes in a fresh answer: growth windows move on even when nothing is written.
    mutating func refresh(_ status: Status) {
        self.status = status
    }

    private mutating func put(_ container: Container) {
        guard var status else { return }
        let position = status.containers.firstIndex { $0.isSame(as: container) }
        let before = position.map { status.containers[$0].diskBytes } ?? 0
        let change = container.diskBytes.minus(before)
        status.totals.containers.diskBytes = status.totals.containers.diskBytes.plus(change)
        if let position {
            status.containers[position] = container
        } else {
            status.containers.append(container)
        }
        self.status = status
    }

    private mutating func remove(_ container: Container) {
        guard var status else { return }
        status.containers.removeAll { known in
            guard known.isSame(as: container) else { return false }
            status.totals.containers.diskBytes = status.totals.containers.diskBytes.minus(known.diskBytes)
            return true
        }
        self.status = status
    }

    private mutating func put(_ image: Image) {
        if let position = status?.images.firstIndex(where: { $0.isSame(as: image) }) {
            status?.images[position] = image
        } else {
            status?.images.append(image)
        }
    }

    private mutating func put(_ alert: Alert) {
        status?.alerts.removeAll {
            $0.rule == alert.rule && $0.containerID == alert.containerID && $0.engine == alert.engine
                && $0.root == alert.root
        }
        if alert.state == .firing { status?.alerts.insert(alert, at: 0) }
    }

    private mutating func put(_ source: Source) {
        guard
            let position = status?.sources.firstIndex(where: {
                $0.root == source.root && $0.engine == source.engine
            })
        else { return }
        status?.sources[position] = source
    }

    /// The lines of the screen, no more than `rows`.
    func frame(rows: Int, _ options: RenderOptions) -> [String] {
        guard let status else { return ["waiting for the first snapshot of the daemon"] }
        var head = header(status, options)
        let alerts = status.alerts.filter { $0.state == .firing }.prefix(3)
        // On a low screen some containers stay in sight nevertheless.
        let alertRoom = max(1, rows - head.count - 8)
        head += alerts.flatMap { Render.alertLines($0, options) }.prefix(alertRoom)
        head.append("")
        let footer = footer(options)
        let containers = sorted(status.containers)
        let room = max(1, rows - head.count - 3)
        var table =
            containers.isEmpty
            ? ["no containers"] : Render.containerTable(Array(containers.prefix(room)), options)
        if containers.count > room { table.append("and \(containers.count - room) more") }
        let body = Array((head + table).prefix(max(1, rows - 1)))
        let space = Array(repeating: "", count: max(0, rows - 1 - body.count))
        return body + space + [footer]
    }

    private func header(_ status: Status, _ options: RenderOptions) -> [String] {
        var plain = options
        plain.colour = false
        // The first line alone is coloured again; what is cut must not lose its closing code.
        var lines = Render.header(status, options.width == nil ? plain : options)
        for system in status.filesystems.prefix(3) {
            let text =
                "  \(TerminalText.name(system.mount)): \(options.size(system.usedBytes)) used "
                + "(\(Render.useShare(system))), \(options.size(system.availableBytes)) available"
            lines.append(options.width.map { TerminalText.cutMiddle(text, to: $0) } ?? text)
        }
        let totals = status.totals
        lines.append(
            "  \(Render.count(status.containers.count, "container")) \(options.size(totals.containers.diskBytes)), "
                + "\(Render.count(status.images.count, "image")) \(options.size(totals.imageLayers.diskBytes))"
        )
        return lines
    }

    private func footer(_ options: RenderOptions) -> String {
        guard isConnected else {
            return options.paint("connection lost, trying again", .red) + "   q quit"
        }
        return options.paint("q quit   s sort: \(order.rawValue)", .dim)
    }

    private func sorted(_ containers: [Container]) -> [Container] {
        let byDisk = Render.byDisk(containers)
        // Stable by hand: equal figures stay in the order of the disk.
        func descending(_ figure: (Container) -> Int64) -> [Container] {
            byDisk.enumerated()
                .sorted { (figure($1.element), $0.offset) < (figure($0.element), $1.offset) }
                .map(\.element)
        }
        return switch order {
        case .disk: byDisk
        case .minute: descending(\.growth.minute)
        case .hour: descending(\.growth.hour)
        case .name: containers.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
        }
    }
}

extension Container {
    /// Whether both are one container, perhaps at two moments.
    fileprivate func isSame(as other: Container) -> Bool {
        id == other.id && root == other.root && engine == other.engine
    }
}

extension Image {
    /// Whether both are one image, perhaps at two moments.
    fileprivate func isSame(as other: Image) -> Bool {
        id == other.id && root == other.root && engine == other.engine
    }
}
