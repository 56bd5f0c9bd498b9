/// Columns of text under headings, fitted to a width.
struct TextTable {
    struct Column {
        var title: String
        var right = false
        /// To how few columns it may be cut; nil for a column that does not give way.
        var shrinksTo: Int?
        /// How many columns it keeps for as long as others can go instead; nil where it gives way first.
        var keeps: Int?
        /// Whether the end is cut instead of the middle.
        var cutsEnd = false
        /// Columns with a rank go, the highest first, where cutting is not enough.
        var dropRank = 0

        static func name(_ title: String, shrinksTo: Int = 10, keeps: Int? = nil) -> Column {
            Column(title: title, shrinksTo: shrinksTo, keeps: keeps)
        }

        static func sentence(_ title: String, shrinksTo: Int = 12) -> Column {
            Column(title: title, shrinksTo: shrinksTo, cutsEnd: true)
        }

        static func text(_ title: String, dropRank: Int = 0) -> Column {
            Column(title: title, dropRank: dropRank)
        }

        static func number(_ title: String, dropRank: Int = 0) -> Column {
            Column(title: title, right: true, dropRank: dropRank)
        }
    }

    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var style: TextStyle

        init(_ text: String, _ style: TextStyle = .plain) {
            self.text = text
            self.style = style
        }

        init(stringLiteral value: String) {
            self.init(value)
        }
    }

    private static let gap = 2
    /// On a terminal not even a column that does not shrink is wider.
    private static let longestText = 28

    var columns: [Column]
    var rows: [[Cell]] = []
    /// Put before every line.
    var indent = ""

    init(_ columns: [Column], indent: String = "") {
        self.columns = columns
        self.indent = indent
    }

    mutating func add(_ cells: [Cell]) {
        rows.append(cells)
    }

    /// One string for each line, the headings first.
    func lines(_ options: RenderOptions) -> [String] {
        let (kept, widths) = fit(options.width.map { $0 - TerminalText.columns(indent) })
        let titles = columns.map { Cell($0.title, .dim) }
        return ([titles] + rows).map { row in
            var line = indent
            for (position, column) in kept.enumerated() {
                guard column < row.count else { continue }
                let width = widths[position]
                let text =
                    columns[column].cutsEnd
                    ? TerminalText.cutEnd(row[column].text, to: width)
                    : TerminalText.cutMiddle(row[column].text, to: width)
                let padding = String(repeating: " ", count: max(0, width - TerminalText.columns(text)))
                let painted = options.paint(text, row[column].style)
                let isLast = position == kept.count - 1
                if columns[column].right {
                    line += padding + painted
                } else {
                    line += painted + (isLast ? "" : padding)
                }
                if !isLast { line += String(repeating: " ", count: Self.gap) }
            }
            return line.trimmingTrailingSpaces()
        }
    }

    /// Which columns are shown, and how wide.
    private func fit(_ limit: Int?) -> (kept: [Int], widths: [Int]) {
        let natural = columns.indices.map { column in
            rows.reduce(TerminalText.columns(columns[column].title)) { width, row in
                column < row.count ? max(width, TerminalText.columns(row[column].text)) : width
            }
        }
        var kept = Array(columns.indices)
        while true {
            var widths = kept.map { natural[$0] }
            guard let limit else { return (kept, widths) }
            for position in kept.indices {
                let most = columns[kept[position]].shrinksTo.map { max($0, limit) } ?? Self.longestText
                widths[position] = min(widths[position], most)
            }
            var excess = widths.reduce(0, +) + Self.gap * max(0, kept.count - 1) - limit
            let droppable = kept.filter { columns[$0].dropRank > 0 }
            while excess > 0 {
                let candidates = kept.indices.filter { position in
                    let column = columns[kept[position]]
                    let least = droppable.isEmpty ? column.shrinksTo : column.keeps ?? column.shrinksTo
                    return widths[position] > (least ?? .max)
                }
                guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
                excess -= 1
            }
            guard excess > 0, let drop = droppable.max(by: { columns[$0].dropRank < columns[$1].dropRank })
            else {
                return (kept, widths)
            }
            kept.removeAll { $0 == drop }
        }
    }
}

extension String {
    func trimmingTrailingSpaces() -> String {
        guard let last = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...last])
    }
}
