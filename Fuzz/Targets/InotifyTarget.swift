import Kernel

extension FuzzTarget {
    /// What `read` gave of an inotify instance.
    ///
    /// The first byte says where the buffer is cut; the rest is the buffer.
    static let inotify = FuzzTarget(name: "inotify") { bytes in
        var input = FuzzInput(bytes)
        let cut = input.byte()
        let buffer = Array(input.rest)
        let events = parse(buffer)
        let records = plainRecords(buffer)
        try require(events == records.map(\.event), "the events are those that the bytes say")
        for (index, record) in records.enumerated() where record.end <= cut {
            let head = parse(Array(buffer[..<record.end]))
            let tail = parse(Array(buffer[record.end...]))
            try require(head == Array(events[...index]), "a buffer cut behind a record has the ones before")
            try require(head + tail == events, "two buffers have the events of the one they were")
        }
        let cutEvents = parse(Array(buffer.prefix(cut)))
        try require(
            cutEvents == records.prefix { $0.end <= cut }.map(\.event), "a cut buffer has what is whole in it"
        )
        for name in events.compactMap(\.name) {
            try require(unescaped(name.escaped) == name.bytes, "an escaped name says which bytes it has")
            try requirePrintable(name.escaped)
        }
    }

    private static func parse(_ buffer: [UInt8]) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        // At an odd address, as no record of the kernel's begins.
        ([0] + buffer).withUnsafeBytes { bytes in
            InotifyEvent.parse(UnsafeRawBufferPointer(rebasing: bytes.dropFirst())) { events.append($0) }
        }
        return events
    }

    /// The whole records at the front of a buffer, as `inotify(7)` has them, and where each ends.
    private static func plainRecords(_ buffer: [UInt8]) -> [(event: InotifyEvent, end: Int)] {
        var records: [(event: InotifyEvent, end: Int)] = []
        var rest = buffer[...]
        while rest.count >= 16 {
            let fields = (0..<4).map { field in
                rest.dropFirst(4 * field).prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            }
            let length = Int(fields[3])
            guard rest.count - 16 >= length else { break }
            let name = rest.dropFirst(16).prefix(length).split(separator: 0, omittingEmptySubsequences: false)
            let bytes = Array(name.first ?? [])
            rest = rest.dropFirst(16 + length)
            let event = InotifyEvent(
                watch: Int32(bitPattern: fields[0]), mask: .init(rawValue: fields[1]), cookie: fields[2],
                name: bytes.isEmpty ? nil : FileName(bytes: bytes))
            records.append((event, buffer.count - rest.count))
        }
        return records
    }

    /// The bytes that ``FileName/escaped`` stands for; `nil` for a text that it does not write.
    private static func unescaped(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return bytes
    }
}

/// Throws where a text could do more to a terminal or a line of a log than show.
func requirePrintable(_ text: String, except allowed: Set<Unicode.Scalar> = []) throws {
    for scalar in text.unicodeScalars where !allowed.contains(scalar) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            throw FuzzFinding(description: "U+\(String(scalar.value, radix: 16)) is printed unescaped")
        default: break
        }
    }
}
