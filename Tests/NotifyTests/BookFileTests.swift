import Foundation
import Testing
import UsageTestKit
import Wire

@testable import Notify

@Suite("the file of a queue")
struct BookFileTests {
    private func waiting(_ path: String) throws -> [String] {
        try ReceiverStore(path: path).nextBatch(limit: 1000).map { Samples.transition($0.notice.alert) }
    }

    private func fill(_ path: String, _ alerts: [Alert]) throws {
        let store = try ReceiverStore(path: path)
        for alert in alerts { _ = store.take([alert]) { _ in true } }
    }

    @Test("cut at any byte, it holds what was written whole before")
    func cut() async throws {
        try await withNotifyScratch { scratch in
            let alerts = (0..<3).map { Samples.alert("c\($0)", since: $0) }
            try fill(scratch("whole"), alerts)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch("whole")))
            let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.dropFirst()
            #expect(ends.count == 3)
            for length in Array(0...20) + Array(stride(from: 21, through: bytes.count, by: 7)) {
                let path = scratch("cut")
                try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
                // A line is whole without its newline.
                let whole = ends.count { $0 <= length }
                #expect(try waiting(path) == alerts.prefix(whole).map(Samples.transition), "cut at \(length)")
                // It can be written on.
                try fill(path, [Samples.alert("later", since: 9)])
                #expect(try waiting(path).count == whole + 1)
            }
        }
    }

    @Test(
        "a damaged line costs what it held and nothing else", arguments: [UInt64.random(in: 0...UInt64.max)])
    func damage(seed: UInt64) async throws {
        try await withNotifyScratch { scratch in
            var random = SeededGenerator(seed: seed)
            let alerts = (0..<20).map { Samples.alert("c\($0)", since: $0) }
            try fill(scratch("whole"), alerts)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch("whole")))
            for _ in 0..<20 {
                var damaged = bytes
                let place = Int.random(in: "usaged-notify 1\n".utf8.count..<bytes.count, using: &random)
                guard damaged[place] != UInt8(ascii: "\n") else { continue }
                damaged[place] ^= 0x15
                let line = bytes[..<place].count { $0 == UInt8(ascii: "\n") } - 1
                try damaged.write(to: URL(fileURLWithPath: scratch("damaged")))
                let store = try ReceiverStore(path: scratch("damaged"))
                var expected = alerts.map(Samples.transition)
                expected.remove(at: line)
                // A byte that became a newline makes two damaged lines of one.
                #expect((1...2).contains(store.damagedLines), "seed \(seed)")
                let left = store.nextBatch(limit: 1000).map { Samples.transition($0.notice.alert) }
                #expect(left == expected, "seed \(seed), byte \(place)")
            }
        }
    }

    @Test("a file of another form is refused and left as it is")
    func foreign() async throws {
        try await withNotifyScratch { scratch in
            let path = try scratch.write("usaged-notify 2\nwhat is to come\n", to: "later")
            #expect(throws: NotifyError.self) { try ReceiverStore(path: path) }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "usaged-notify 2\nwhat is to come\n")
        }
    }

    @Test("it stays small however much passes through")
    func small() async throws {
        try await withNotifyScratch { scratch in
            let path = scratch("queue")
            let store = try ReceiverStore(path: path)
            for second in 0..<5_000 {
                let batch = (0..<1).map {
                    Samples.alert("c\($0)", second % 2 == 0 ? .firing : .resolved, since: second)
                }
                _ = store.take(batch) { _ in true }
                let queued = store.nextBatch(limit: 10).map(\.number)
                store.record(.delivered(numbers: queued, at: Int64(second)))
            }
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            #expect(size < 3 << 20)
            #expect(store.waiting == 0)
        }
    }

    @Test("a full disk stops nothing, and what it kept out is written when there is room")
    func fullDisk() async throws {
        try #require(geteuid() == 0, "needs root to mount a file system in memory")
        try await withNotifyScratch { scratch in
            let mount = try scratch.directory("small")
            try await Command.output(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mount])
            let path = "\(mount)/queue"
            let store = try ReceiverStore(path: path)
            Data(repeating: 0, count: 1 << 20).withUnsafeBytes { bytes in
                let file = open("\(mount)/ballast", O_WRONLY | O_CREAT, 0o600)
                _ = write(file, bytes.baseAddress, bytes.count)
                close(file)
            }
            let alerts = (0..<200).map { Samples.alert("c\($0)", since: $0) }
            for alert in alerts { _ = store.take([alert]) { _ in true } }
            #expect(store.waiting == 200)
            #expect(store.failure?.description.contains("queue") == true)
            #expect(try waiting(path).count < 200)
            try FileManager.default.removeItem(atPath: "\(mount)/ballast")
            store.catchUp()
            #expect(store.failure == nil)
            #expect(try waiting(path) == alerts.map(Samples.transition))
        }
    }
}
