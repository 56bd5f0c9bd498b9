public import Wire

/// What `check` tells a monitoring system, by the plugin guidelines of Nagios and its kin.
public struct CheckResult: Hashable, Sendable {
    public enum Level: Int32, Hashable, Sendable {
        case ok = 0, warning, critical, unknown

        var word: String {
            switch self {
            case .ok: "OK"
            case .warning: "WARNING"
            case .critical: "CRITICAL"
            case .unknown: "UNKNOWN"
            }
        }
    }

    public var level: Level
    /// One line, without a newline: level, text, and performance data behind a bar.
    public var line: String

    /// Judges a status by the worst alert that fires.
    ///
    /// A stale or damaged store or container is a warning; polling and converging are told, and are no fault.
    public init(_ status: Status, _ options: RenderOptions) {
        let firing = status.alerts.filter { $0.state == .firing }
        let bad = status.sources.filter { $0.state == .stale || $0.state == .damaged }
        let badContainers = status.containers.filter { $0.state == .stale || $0.state == .damaged }
        if firing.contains(where: { $0.severity == .critical }) {
            level = .critical
        } else {
            level = firing.isEmpty && bad.isEmpty && badContainers.isEmpty ? .ok : .warning
        }
        var parts = firing.sorted { $0.severity == .critical && $1.severity != .critical }
            .prefix(3).map { TerminalText.prose($0.message) }
        if firing.count > 3 { parts.append("\(firing.count - 3) more alerts") }
        parts += bad.map { Self.source($0) }
        if !badContainers.isEmpty, bad.isEmpty {
            parts.append("\(Render.count(badContainers.count, "container")) stale or damaged")
        }
        if parts.isEmpty {
            parts.append(
                "\(Render.count(status.containers.count, "container")) with "
                    + "\(options.size(status.totals.containers.diskBytes)), image layers "
                    + options.size(status.totals.imageLayers.diskBytes))
        }
        parts += status.sources.filter { $0.state == .polling || $0.state == .converging }.map {
            Self.source($0)
        }
        line = Self.line(level, parts.joined(separator: "; "), Self.performance(status, firing))
    }

    /// No judgement was possible.
    public init(unknown reason: String) {
        level = .unknown
        line = Self.line(.unknown, TerminalText.oneLine(reason), "")
    }

    private static func source(_ source: Source) -> String {
        "\(TerminalText.name(source.engine)) \(TerminalText.name(source.root)) is \(source.state.rawValue)"
            + (source.reason.map { ": " + TerminalText.prose($0) } ?? "")
    }

    private static func line(_ level: Level, _ text: String, _ performance: String) -> String {
        // The bar divides text from data, and nothing may be able to move it.
        "\(level.word) - \(text.replacing("|", with: "/"))" + (performance.isEmpty ? "" : "|\(performance)")
    }

    private static func performance(_ status: Status, _ firing: [Alert]) -> String {
        let totals = status.totals
        var items = [
            item("image_layers", totals.imageLayers.diskBytes),
            item("containers", totals.containers.diskBytes),
            item("logs", totals.logs.diskBytes), item("volumes", totals.volumes.diskBytes),
            item("build_cache", totals.buildCache.diskBytes), item("orphans", totals.orphans.diskBytes),
        ]
        for system in status.filesystems {
            items.append(item("used \(system.mount)", system.usedBytes, least: 0, most: system.sizeBytes))
        }
        for alert in firing.prefix(20) {
            items.append(
                item(
                    "\(alert.rule) \(alert.container)", alert.valueBytes,
                    warning: alert.severity == .warning ? alert.limitBytes : nil,
                    critical: alert.severity == .critical ? alert.limitBytes : nil))
        }
        return items.joined(separator: " ")
    }

    /// `'label'=valueB;warn;crit;min;max`, without the empty fields at its end.
    private static func item(
        _ label: String, _ value: Int64, warning: Int64? = nil, critical: Int64? = nil, least: Int64? = nil,
        most: Int64? = nil
    ) -> String {
        let safe = TerminalText.name(label).replacing("=", with: "_").replacing("|", with: "_")
            .replacing("'", with: "''")
        var text = "'\(safe)'=\(value)B"
        var fields = [warning, critical, least, most].map { $0.map(String.init) ?? "" }
        while fields.last == "" { fields.removeLast() }
        for field in fields { text += ";" + field }
        return text
    }
}
