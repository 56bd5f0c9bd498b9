/// A list whose versions share what is the same in them.
///
/// Its elements lie one by one in memory, their references in blocks, and those of the blocks in groups. A version that
/// differs from the one before in one element has that element, its block and its group for itself and the rest in
/// common: it costs some 100 references, of 10,000 elements or of 100,000. What differs between two versions is found by
/// comparing references.
public struct SharedList<Element: Sendable>: RandomAccessCollection, Sendable {
    private final class Box: Sendable {
        let element: Element

        init(_ element: Element) { self.element = element }
    }

    private static var blockLength: Int { 32 }
    private static var groupLength: Int { 32 * blockLength }

    private var groups: [[[Box]]]
    public let count: Int

    init(_ elements: [Element]) {
        count = elements.count
        groups = stride(from: 0, to: elements.count, by: Self.groupLength).map { start in
            let end = Swift.min(start + Self.groupLength, elements.count)
            return stride(from: start, to: end, by: Self.blockLength).map { start in
                elements[start..<Swift.min(start + Self.blockLength, end)].map(Box.init)
            }
        }
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public internal(set) subscript(position: Int) -> Element {
        get { box(at: position).element }
        set {
            groups[position / Self.groupLength][position % Self.groupLength / Self.blockLength][
                position % Self.blockLength] = Box(newValue)
        }
    }

    private func box(at position: Int) -> Box {
        groups[position / Self.groupLength][position % Self.groupLength / Self.blockLength][
            position % Self.blockLength]
    }

    /// The positions of what was put in its place since an earlier version of the list, in their order.
    func changes(since earlier: SharedList) -> [Int] {
        precondition(count == earlier.count, "versions of one list")
        var changes: [Int] = []
        for group in groups.indices where !Self.isSame(groups[group], earlier.groups[group]) {
            for block in groups[group].indices
            where !Self.isSame(groups[group][block], earlier.groups[group][block]) {
                let start = group * Self.groupLength + block * Self.blockLength
                for position in start..<start + groups[group][block].count
                where box(at: position) !== earlier.box(at: position) {
                    changes.append(position)
                }
            }
        }
        return changes
    }

    /// Whether two arrays lie in the same memory, which neither can change while the other is there.
    private static func isSame<Value>(_ left: [Value], _ right: [Value]) -> Bool {
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { $0.baseAddress == left.baseAddress }
        }
    }
}

extension SharedList: Equatable where Element: Equatable {
    public static func == (left: SharedList, right: SharedList) -> Bool {
        left.elementsEqual(right)
    }
}

extension SharedList: Hashable where Element: Hashable {
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for element in self { hasher.combine(element) }
    }
}

/// Lists one after the other, as one.
public struct JoinedList<Element: Sendable>: RandomAccessCollection, Sendable {
    private let parts: [SharedList<Element>]
    public let endIndex: Int

    init(_ parts: [SharedList<Element>]) {
        self.parts = parts
        endIndex = parts.reduce(0) { $0 + $1.count }
    }

    public var startIndex: Int { 0 }

    public subscript(position: Int) -> Element {
        var rest = position
        for part in parts {
            if rest < part.count { return part[rest] }
            rest -= part.count
        }
        preconditionFailure("position \(position) of \(endIndex)")
    }

    public func makeIterator() -> FlattenSequence<[SharedList<Element>]>.Iterator {
        parts.joined().makeIterator()
    }
}

extension JoinedList: Equatable where Element: Equatable {
    public static func == (left: JoinedList, right: JoinedList) -> Bool {
        left.elementsEqual(right)
    }
}
