internal import Glibc
internal import Synchronization

/// The alternate screen of the terminal with keys read one by one; the terminal is as before once it is closed.
///
/// Ctrl-C comes as a key. SIGINT, SIGTERM, SIGHUP and SIGWINCH come through ``signals``, so that none of them ends
/// the process with the terminal left in disorder.
final class TerminalScreen {
    /// Where the signal handlers write to: they can reach nothing but a global.
    private static let signalPipe = Atomic<Int32>(-1)
    private static let handled = [SIGINT, SIGTERM, SIGHUP, SIGWINCH]

    private let saved: termios
    private let pipeEnds: (read: Int32, write: Int32)
    private var isOpen = true

    /// Takes over the terminal of the standard input and output; nil where it cannot.
    init?() {
        var settings = termios()
        guard tcgetattr(0, &settings) == 0 else { return nil }
        saved = settings
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        pipeEnds = (ends[0], ends[1])
        Self.signalPipe.store(ends[1], ordering: .releasing)
        for number in Self.handled {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                let saved = errno
                _ = Glibc.write(TerminalScreen.signalPipe.load(ordering: .acquiring), &byte, 1)
                errno = saved
            }
        }
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        settings.c_iflag &= ~tcflag_t(IXON)
        tcsetattr(0, TCSANOW, &settings)
        // Alternate screen, hidden cursor, no wrapping of long lines.
        try? StandardOutput.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        try? StandardOutput.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        var settings = saved
        tcsetattr(0, TCSANOW, &settings)
        for number in Self.handled { signal(number, SIG_DFL) }
        Self.signalPipe.store(-1, ordering: .releasing)
        _ = Glibc.close(pipeEnds.read)
        _ = Glibc.close(pipeEnds.write)
    }

    deinit {
        close()
    }

    /// Readable when a key was pressed or a signal came.
    var inputs: [Int32] { [0, pipeEnds.read] }

    enum Input: Hashable {
        case key(UInt8), resized, end
    }

    /// What was typed and signalled since the last call; `end` where the terminal has gone.
    func read() -> [Input] {
        var inputs: [Input] = []
        for number in Self.drain(pipeEnds.read, size: 64) ?? [] {
            inputs.append(Int32(number) == SIGWINCH ? .resized : .end)
        }
        if UnixSocket.wait(for: [0], until: .now) == [true] {
            guard let keys = Self.drain(0, size: 256), !keys.isEmpty else { return [.end] }
            inputs += keys.map(Input.key)
        }
        return inputs
    }

    private static func drain(_ descriptor: Int32, size: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: size)
        let count = Glibc.read(descriptor, &buffer, size)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// Draws over what is there, so that nothing flickers.
    func show(_ lines: [String]) throws {
        let body = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        try StandardOutput.write("\u{1B}[H" + body + "\u{1B}[J")
    }
}
