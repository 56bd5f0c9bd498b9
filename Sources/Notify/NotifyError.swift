/// Why something cannot be delivered or kept.
public struct NotifyError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
