/// One change of a ``ReceiverBook``, as its file keeps it.
public enum BookEntry: Hashable, Sendable, Codable {
    /// To be delivered.
    case queued(number: Int64, notice: Notice)
    /// Known, with nothing to deliver; `deliveredAt` in seconds since the epoch.
    case known(notice: Notice, isTold: Bool, deliveredAt: Int64?)
    /// Delivered at a time, seconds since the epoch.
    case delivered(numbers: [Int64], at: Int64)
    /// Told again of alerts that go on firing.
    case repeated(keys: [AlertKey], at: Int64)
    /// Given up.
    case dropped(numbers: [Int64])
    /// The receiver's first look at what fires is over: what is resolved from now on is news.
    case looked
    /// No longer of interest.
    case forgotten(keys: [AlertKey])
}
