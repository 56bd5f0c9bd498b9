/// Why the bytes of a bbolt database cannot be used.
enum BoltFault: Error, Hashable, Sendable {
    /// Neither meta page is whole: there is no transaction to read.
    case noMeta
    /// The file ends before a page that is in use.
    case truncated(page: UInt64)
    /// A page is not what it has to be.
    case damaged(page: UInt64, String)
    /// More than a database of an engine has.
    case tooMany(String)
}

extension BoltFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .noMeta: "neither of its two meta pages is whole, so it is no bbolt database or is damaged"
        case .truncated(let page): "it ends before page \(page), which is in use"
        case .damaged(let page, let reason): "page \(page): \(reason)"
        case .tooMany(let reason): reason
        }
    }
}
