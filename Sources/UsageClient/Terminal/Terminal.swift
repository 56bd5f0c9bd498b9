internal import Glibc

/// What is known of the terminal that the client writes to.
public enum Terminal {
    public static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// Columns and rows; 80 by 24 where the terminal does not tell.
    public static var size: (columns: Int, rows: Int) {
        var window = winsize()
        let known = ioctl(StandardOutput.descriptor, UInt(TIOCGWINSZ), &window) == 0
        let columns =
            known && window.ws_col > 0 ? Int(window.ws_col) : environment("COLUMNS").flatMap { Int($0) }
        let rows = known && window.ws_row > 0 ? Int(window.ws_row) : environment("LINES").flatMap { Int($0) }
        return (min(max(columns ?? 80, 20), 10_000), min(max(rows ?? 24, 4), 10_000))
    }

    /// An environment variable; nil where it is unset or empty.
    public static func environment(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }

    /// Whether to colour where the user left it to the terminal: <https://no-color.org>, and no `dumb` terminal.
    public static var showsColour: Bool {
        isTerminal(StandardOutput.descriptor) && environment("NO_COLOR") == nil
            && environment("TERM") != "dumb"
    }
}
