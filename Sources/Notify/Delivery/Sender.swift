/// One way to deliver notices; used by one thread.
protocol Sender: AnyObject {
    /// How many notices go together.
    var batchLimit: Int { get }

    /// Delivers, and waits for it.
    ///
    /// `isRepeat` says that they were delivered before. `isStopped` is asked now and then; once it is so, the delivery
    /// is given up.
    func deliver(
        _ notices: [Notice], isRepeat: Bool, isStopped: @escaping @Sendable () -> Bool
    ) -> DeliveryOutcome
}

enum DeliveryOutcome: Hashable, Sendable {
    case delivered
    /// To be tried again, not before the receiver wants it, where it says so.
    case failed(reason: String, retryAfter: Duration? = nil)
    /// The receiver will never take these.
    case refused(reason: String)
}
