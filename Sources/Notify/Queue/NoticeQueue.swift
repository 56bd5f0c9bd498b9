/// Notices in the order in which they came, each with a number and what it takes, found by alert as well.
struct NoticeQueue: Sendable {
    struct Item: Hashable, Sendable {
        var number: Int64
        var notice: Notice
        /// Bytes in the book's file.
        var size: Int
    }

    /// Rising; numbers of items that were removed stay until they are many.
    private var order: [Int64] = []
    /// What is before it is removed.
    private var head = 0
    private var items: [Int64: Item] = [:]
    private var numbers: [AlertKey: [Int64]] = [:]
    private(set) var bytes = 0

    var count: Int { items.count }
    /// How many are not the latest of their alert.
    var outdated: Int { items.count - numbers.count }

    mutating func append(_ item: Item) {
        order.append(item.number)
        items[item.number] = item
        numbers[item.notice.key, default: []].append(item.number)
        bytes += item.size
    }

    @discardableResult
    mutating func remove(_ number: Int64) -> Item? {
        guard let item = items.removeValue(forKey: number) else { return nil }
        bytes -= item.size
        let key = item.notice.key
        numbers[key]?.removeAll { $0 == number }
        if numbers[key]?.isEmpty == true { numbers[key] = nil }
        while head < order.count, items[order[head]] == nil { head += 1 }
        if order.count > 2 * items.count + 64 {
            order.removeAll { items[$0] == nil }
            head = 0
        }
        return item
    }

    func contains(_ key: AlertKey) -> Bool { numbers[key] != nil }

    /// The numbers of an alert's notices, the oldest first.
    func numbers(of key: AlertKey) -> [Int64] { numbers[key] ?? [] }

    func item(_ number: Int64) -> Item? { items[number] }

    var newest: Item? { order.last.flatMap { items[$0] } }

    /// Whether it is the latest of its alert.
    func isLatest(_ item: Item) -> Bool { numbers[item.notice.key]?.last == item.number }

    /// The oldest first.
    var all: some Sequence<Item> { order[head...].lazy.compactMap { items[$0] } }
}
