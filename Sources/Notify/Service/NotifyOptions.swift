public import Settings

/// What the command line says.
public struct NotifyOptions: Sendable {
    public var receivers: [Receiver]
    /// Of the daemon.
    public var socket: String
    public var timeout: Duration
    public var stateDirectory: String

    public static let defaultStateDirectory = "/var/lib/usaged-notify"

    public init(receivers: [Receiver], socket: String, timeout: Duration, stateDirectory: String) {
        self.receivers = receivers
        self.socket = socket
        self.timeout = timeout
        self.stateDirectory = stateDirectory
    }
}
