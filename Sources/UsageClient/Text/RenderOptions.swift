/// How an answer is printed.
public struct RenderOptions: Hashable, Sendable {
    /// Columns of the terminal; nil where the output is no terminal: then nothing is cut.
    public var width: Int?
    public var colour: Bool
    public var bytes: ByteFormat
    public var zone: TimeZoneChoice

    public init(
        width: Int? = nil, colour: Bool = false, bytes: ByteFormat = .decimal, zone: TimeZoneChoice = .local
    ) {
        self.width = width
        self.colour = colour
        self.bytes = bytes
        self.zone = zone
    }

    func size(_ bytes: Int64) -> String {
        self.bytes.string(bytes)
    }

    func change(_ bytes: Int64) -> String {
        self.bytes.signed(bytes)
    }

    func paint(_ text: String, _ style: TextStyle) -> String {
        colour ? style.wrap(text) : text
    }

    /// A time of the server for people; what cannot be read is printed as it came.
    func clock(_ time: String) -> String {
        Timestamp(time)?.clock(zone) ?? unread(time)
    }

    func moment(_ time: String) -> String {
        Timestamp(time)?.dateAndClock(zone) ?? unread(time)
    }

    private func unread(_ time: String) -> String {
        TerminalText.cutEnd(TerminalText.name(time), to: 24)
    }

    /// An escaped line, cut at its end to the terminal.
    func fit(_ line: String) -> String {
        width.map { TerminalText.cutEnd(line, to: $0) } ?? line
    }

    /// An escaped name within a sentence, cut so that the rest of the sentence has room on a terminal.
    func brief(_ name: String, _ columns: Int = 24) -> String {
        width == nil ? name : TerminalText.cutMiddle(name, to: columns)
    }
}

/// An attribute of the terminal, by its SGR code.
enum TextStyle: String {
    case plain = ""
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
    case alarm = "1;31"

    func wrap(_ text: String) -> String {
        self == .plain || text.isEmpty ? text : "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }
}
