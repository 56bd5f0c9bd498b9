/// A pattern in which `*` stands for any run of characters, also none, and `?` for one; case matters.
///
/// Matching never takes more than the product of both lengths, whatever the pattern.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    public let pattern: String
    private let scalars: [Unicode.Scalar]

    public init(_ pattern: String) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
    }

    public var description: String { pattern }

    /// Whether the pattern stands for the whole of `text`.
    public func matches(_ text: String) -> Bool {
        if scalars == ["*"] { return true }
        let text = Array(text.unicodeScalars)
        var position = 0
        var index = 0
        // Only the last star is ever tried again: an earlier one has found the leftmost place already.
        var star: (index: Int, position: Int)?
        while position < text.count {
            if index < scalars.count, scalars[index] == "*" {
                star = (index, position)
                index += 1
            } else if index < scalars.count, scalars[index] == "?" || scalars[index] == text[position] {
                index += 1
                position += 1
            } else if let last = star {
                star = (last.index, last.position + 1)
                index = last.index + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return scalars[index...].allSatisfy { $0 == "*" }
    }
}
