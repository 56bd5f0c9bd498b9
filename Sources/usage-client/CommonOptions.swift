internal import ArgumentParser
internal import UsageClient

/// The options that every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print the daemon's JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "The daemon's socket.",
            discussion: "Else the variable USAGED_SOCKET, else \(DaemonConnection.defaultSocket).",
            valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("How long to wait for the daemon.", valueName: "seconds"))
    var timeout: Double = 30

    @Flag(help: "Print sizes in units of 1024: KiB, MiB, GiB.")
    var iec = false

    @Flag(help: "Print sizes in bytes.")
    var bytes = false

    @Option(
        name: [.customLong("color"), .customLong("colour")],
        help: "When to colour: auto, always or never. auto: on a terminal, unless NO_COLOR is set.")
    var color = ColourChoice.auto

    func validate() throws {
        guard timeout >= 0.001, timeout <= 86400 else {
            throw ValidationError("--timeout takes seconds from 0.001 to 86400.")
        }
        guard !(iec && bytes) else { throw ValidationError("--iec and --bytes exclude one another.") }
        guard socket != "" else { throw ValidationError("--socket takes the path of a socket.") }
    }

    /// The socket that the caller names.
    var givenSocket: String? { socket ?? Terminal.environment("USAGED_SOCKET") }

    var daemon: DaemonConnection {
        DaemonConnection(
            socket: givenSocket ?? DaemonConnection.defaultSocket,
            timeout: .milliseconds(Int64(timeout * 1000)))
    }

    var render: RenderOptions {
        RenderOptions(
            width: Terminal.isTerminal(StandardOutput.descriptor) ? Terminal.size.columns : nil,
            colour: color == .always || (color == .auto && Terminal.showsColour),
            bytes: bytes ? .exact : iec ? .binary : .decimal)
    }

    /// Asks, and prints the answer as JSON or as text; for the latter `shortened` may be enough.
    func show<Answer: Decodable>(
        _ route: Route, shortened: Route? = nil, _ text: (Answer, RenderOptions) -> String
    ) throws {
        if json {
            try StandardOutput.writeLine(daemon.body(route))
        } else {
            try StandardOutput.write(text(daemon.get(shortened ?? route), render))
        }
    }
}

enum ColourChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never
}

/// An argument that must not be empty.
func requireText(_ text: String, _ name: String) throws {
    guard !text.isEmpty else { throw ValidationError("\(name) must not be empty.") }
}
