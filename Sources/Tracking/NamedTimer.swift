internal import Dispatch

/// Runs things later, on a queue apart from the cooperative pool.
struct NamedTimer: Sendable {
    static let shared = NamedTimer()
    private let queue = DispatchQueue(label: "tracking-deadlines")

    func run(afterMilliseconds milliseconds: Int, _ body: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
    }
}
