internal import Wire

/// Answers of the daemon as text for people: pure functions of the answer and the options.
///
/// Every text ends with a newline. Nothing that the daemon sent is printed unescaped.
public enum Render {
    static func text(_ lines: [String]) -> String {
        lines.map { $0 + "\n" }.joined()
    }

    /// An id as short as Docker prints it.
    static func short(_ id: String) -> String {
        TerminalText.name(String(id.prefix(12)))
    }

    /// Both the figure for people and the exact one.
    static func full(_ bytes: Int64, _ options: RenderOptions) -> String {
        options.bytes == .exact ? options.size(bytes) : "\(options.size(bytes)) (\(bytes) bytes)"
    }

    static func state(_ state: SourceState) -> TextTable.Cell {
        switch state {
        case .exact: TextTable.Cell(state.rawValue, .green)
        case .converging, .polling: TextTable.Cell(state.rawValue, .yellow)
        case .stale, .damaged: TextTable.Cell(state.rawValue, .red)
        }
    }

    static func growth(_ bytes: Int64, _ options: RenderOptions) -> TextTable.Cell {
        TextTable.Cell(options.change(bytes), bytes > 0 ? .cyan : .plain)
    }

    /// A line under a table that the answer is not exact.
    static func notExact(_ exact: Bool, _ options: RenderOptions) -> [String] {
        exact
            ? []
            : ["", options.paint("not exact: see usage-client status for the reasons", .yellow)]
    }

    static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count) \(count == 1 ? one : many ?? one + "s")"
    }

    /// Breaks prose between words into lines that fit; the first line begins with `first`, the others with as
    /// much space.
    static func wrap(_ prose: String, first: String, _ options: RenderOptions) -> [String] {
        guard let width = options.width else { return [first + prose] }
        let indent = String(repeating: " ", count: TerminalText.columns(first))
        let room = max(20, width - indent.utf8.count)
        var lines: [String] = []
        var line = ""
        for word in prose.split(separator: " ").map({ TerminalText.cutMiddle(String($0), to: room) }) {
            if !line.isEmpty, TerminalText.columns(line) + 1 + TerminalText.columns(word) > room {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? word : " " + word
        }
        lines.append(line)
        return lines.enumerated().map { ($0.offset == 0 ? first : indent) + $0.element }
    }

    /// Whether the engine must be named to tell objects apart.
    static func severalEngines(_ engines: some Sequence<String>) -> Bool {
        Set(engines).count > 1
    }
}
