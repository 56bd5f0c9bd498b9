import Kernel
import Testing
import UsageTestKit

@testable import Tracking

@Suite("Marked places")
struct PendingLooksTests {
    private static let masks: [InotifyEvent.Mask] = [.create, .modify, .attributes, .closeWrite, .delete]

    @Test("what events say of a name does not depend on what others say between them")
    func names() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let names = ["a", "b", "bb", "\u{e9}", String(repeating: "n", count: 255)].map { FileName($0) }
        for _ in 0..<200 {
            var together = PendingLooks()
            var apart: [Place: PendingLooks] = [:]
            for _ in 0..<Int.random(in: 0..<60, using: &random) {
                let directory = UInt64.random(in: 1...3, using: &random)
                guard let name = names.randomElement(using: &random),
                    let mask = Self.masks.randomElement(using: &random)
                else { continue }
                // Several in a row, as a burst has them.
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    InotifyEvent(watch: 1, mask: mask, name: name).withRecord { event in
                        together.note(event, in: directory)
                        apart[Place(directory: directory, name: name), default: PendingLooks()]
                            .note(event, in: directory)
                    }
                }
                if Int.random(in: 0..<10, using: &random) == 0 {
                    let place = Place(directory: 9, name: name)
                    together.look(at: place)
                    apart[place, default: PendingLooks()].look(at: place)
                }
            }
            var found: [Place: Look] = [:]
            for (directory, looks) in together.names {
                for (name, look) in looks { found[Place(directory: directory, name: name)] = look }
            }
            let expected = apart.map { ($0.key, $0.value.names[$0.key.directory]?[$0.key.name]) }
            #expect(
                found == Dictionary(uniqueKeysWithValues: expected).compactMapValues(\.self), "seed \(seed)")
        }
    }

    @Test("a look that could not be made changes nothing of what the name's events say")
    func takenBack() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let name = FileName("a")
        for _ in 0..<2_000 {
            var isThere = Bool.random(using: &random)
            let events = (0..<Int.random(in: 2..<8, using: &random)).map { _ in
                let mask = Self.mask(isThere: &isThere, &random)
                return InotifyEvent(watch: 1, mask: mask, name: name)
            }
            let count = Int.random(in: 1..<events.count, using: &random)
            let all = Self.looks(events)
            let first = Self.looks(events.prefix(count))
            // Taken back before the next events are read, and while they were.
            var before = PendingLooks()
            before.takeBack(first.names[1] ?? [:], in: 1)
            for event in events.dropFirst(count) { event.withRecord { before.note($0, in: 1) } }
            #expect(before.names == all.names, "seed \(seed)")
            var after = Self.looks(events.dropFirst(count))
            after.takeBack(first.names[1] ?? [:], in: 1)
            let (look, expected) = (after.names[1]?[name], all.names[1]?[name])
            #expect(look?.passedUnseen == expected?.passedUnseen, "seed \(seed)")
            #expect(look?.expectsFile == expected?.expectsFile, "seed \(seed)")
            #expect(look?.isGone == expected?.isGone && look?.first == expected?.first, "seed \(seed)")
            #expect(look?.wasWritten == expected?.wasWritten, "seed \(seed)")
        }
    }

    /// One that the kernel can tell next of a name.
    private static func mask(isThere: inout Bool, _ random: inout SeededGenerator) -> InotifyEvent.Mask {
        let structural: [InotifyEvent.Mask] =
            isThere ? [.delete, .movedFrom, .movedTo] : [.create, .movedTo]
        guard Bool.random(using: &random), let mask = structural.randomElement(using: &random) else {
            return .modify
        }
        isThere = mask == .create || mask == .movedTo
        return mask
    }

    private static func looks(_ events: some Sequence<InotifyEvent>) -> PendingLooks {
        var looks = PendingLooks()
        for event in events { event.withRecord { looks.note($0, in: 1) } }
        return looks
    }

    @Test("more names than fit become a look at everything")
    func tooMany() {
        var looks = PendingLooks()
        for index in 0...looks.bounds.names {
            #expect(!looks.hasDroppedNames)
            InotifyEvent(watch: 1, mask: .modify, name: FileName("\(index)")).withRecord {
                looks.note($0, in: 1)
            }
        }
        #expect(looks.hasDroppedNames && looks.names.isEmpty && looks.directories.isEmpty)
    }
}
