import Testing
import UsageTestKit

/// What a layer lies on, and how the work reaches it.
struct Configuration: Hashable, Sendable, CustomTestStringConvertible {
    enum Way: String, Hashable, Sendable {
        case plain
        case overlay
        /// What Docker turns off and others turn on.
        case overlayWithAll = "overlay with metacopy, redirect_dir and index"

        var options: String {
            self == .overlayWithAll
                ? "redirect_dir=on,index=on,metacopy=on" : "redirect_dir=off,index=off,metacopy=off"
        }
    }

    var kind: LoopFileSystem.Kind
    var way: Way

    static let all = LoopFileSystem.Kind.allCases.flatMap { kind in
        [Way.plain, .overlay, .overlayWithAll].map { Configuration(kind: kind, way: $0) }
    }

    /// Why it cannot be tried here; `nil` where it can.
    var obstacle: String? { kind.obstacle ?? SmallQueue.obstacle }

    var name: String { "\(kind), \(way.rawValue)" }
    var testDescription: String { name + (obstacle.map { " (not tried: \($0))" } ?? "") }
}
