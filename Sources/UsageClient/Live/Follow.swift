internal import FoundationEssentials
internal import Wire

/// `feed` and `watch`: both follow the feed until they are told to stop.
public enum Follow {
    /// How often the screen is drawn at most.
    private static let frameInterval = Duration.milliseconds(100)
    /// How often the growth windows are fetched anew.
    private static let refreshInterval = Duration.seconds(5)

    /// Prints a line for each event until the reader of the output goes away.
    public static func print(
        _ daemon: DaemonConnection, json: Bool, _ options: RenderOptions, note: (String) -> Void
    ) throws {
        let follower = try FeedFollower(daemon)
        let output = StandardOutput.watched
        while true {
            switch try follower.next(or: output, within: .seconds(60)) {
            case .event(let event, let line):
                if json {
                    try StandardOutput.writeLine(line)
                } else if let text = event.flatMap({ Render.event($0, options) }) {
                    try StandardOutput.write(text)
                }
            case .disconnected: note("connection lost, trying again")
            case .other: throw StandardOutput.ReaderGone()
            case .idle: break
            }
        }
    }

    /// Shows the live screen until `q`, Ctrl-C or a signal; without a terminal it prints like `feed`.
    public static func watch(
        _ daemon: DaemonConnection, _ options: RenderOptions, note: (String) -> Void
    ) throws {
        let isTerminal = Terminal.isTerminal(0) && Terminal.isTerminal(StandardOutput.descriptor)
        // Connects first: without a daemon the message belongs on the ordinary screen.
        guard isTerminal, Terminal.environment("TERM") != "dumb" else {
            return try print(daemon, json: false, options, note: note)
        }
        let follower = try FeedFollower(daemon)
        guard let screen = TerminalScreen() else {
            return try print(daemon, json: false, options, note: note)
        }
        defer { screen.close() }
        try run(daemon, follower, screen, options)
    }

    private static func run(
        _ daemon: DaemonConnection, _ follower: FeedFollower, _ screen: TerminalScreen,
        _ options: RenderOptions
    ) throws {
        var view = LiveView()
        var isDirty = true
        var lastFrame = ContinuousClock.now - frameInterval
        var nextRefresh = ContinuousClock.now + refreshInterval
        while true {
            let now = ContinuousClock.now
            if isDirty, now - lastFrame >= frameInterval {
                let size = Terminal.size
                var fitted = options
                fitted.width = size.columns
                try screen.show(view.frame(rows: size.rows, fitted))
                lastFrame = now
                isDirty = false
            }
            if now >= nextRefresh {
                refresh(&view, daemon)
                isDirty = true
                nextRefresh = .now + refreshInterval
            }
            let wait = isDirty ? frameInterval - (now - lastFrame) : nextRefresh - now
            switch try follower.next(or: screen.inputs, within: max(.zero, wait)) {
            case .event(let event, _):
                view.isConnected = true
                if let event, view.apply(event) { isDirty = true }
            case .disconnected:
                view.isConnected = false
                isDirty = true
            case .idle: break
            case .other:
                for input in screen.read() {
                    guard handle(input, &view) else { return }
                    isDirty = true
                }
            }
        }
    }

    /// Whether to go on.
    private static func handle(_ input: TerminalScreen.Input, _ view: inout LiveView) -> Bool {
        switch input {
        // Ctrl-C and Ctrl-D.
        case .end, .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")), .key(3), .key(4): return false
        case .key(UInt8(ascii: "s")): view.order = view.order.next
        case .key, .resized: break
        }
        return true
    }

    /// Fetches a fresh status; a daemon too busy for it costs the picture nothing but its freshness.
    private static func refresh(_ view: inout LiveView, _ daemon: DaemonConnection) {
        guard view.isConnected else { return }
        let quick = DaemonConnection(socket: daemon.socket, timeout: .seconds(1))
        if let status = try? quick.status() { view.refresh(status) }
    }
}
