import Foundation
import Glibc
import Testing
import UsageTestKit

/// `make soak` does the same for as long as is wanted, on a larger host.
@Suite("A host's random life", .serialized)
struct SoakTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isLong = environment["USAGED_TEST_ALL"] != nil

    @Test(
        "all figures are those of full walks, whatever comes, changes and goes, and the daemon stays flat",
        .enabled(if: geteuid() == 0, "mounting overlays needs root"))
    func soak() async {
        let options = SoakOptions(
            seed: Self.environment["USAGED_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max),
            duration: .seconds(Self.isLong ? 120 : 20), containers: 30, imageLayers: 120, writers: 2...6,
            steps: 20...400, floodFiles: 1_000...8_000)
        let report = await Soak.run(options)
        print("soak:\n\(report.table)")
        #expect(report.failure == nil, "seed \(options.seed)")
        // Both daemons at the start and at the end, however slow the machine is.
        #expect(report.checks >= 4)
    }

    @Test("what grows from one window to another is told, and what is held for a moment is not")
    func flatness() {
        func complaints(
            _ count: Int = 100, memory: (Int) -> Int64 = { _ in 100 << 20 },
            descriptors: (Int) -> Int = { _ in 70 }, watches: (Int) -> Int = { _ in 1_000 },
            directories: (Int) -> Int64 = { _ in 800 }
        ) -> [String] {
            var flatness = Flatness()
            for index in 0..<count {
                flatness.add(
                    ProcessLoad(
                        anonymousBytes: memory(index), descriptors: descriptors(index),
                        watches: watches(index)), watching: directories(index))
            }
            return flatness.complaints
        }
        #expect(complaints() == [])
        #expect(complaints(memory: { Int64(100 + $0) << 20 }).count == 1)
        #expect(complaints(descriptors: { 70 + $0 / 10 }).count == 1)
        // The warm-up, and peaks.
        #expect(complaints(memory: { $0 < 25 ? Int64($0) << 20 : 100 << 20 }) == [])
        #expect(complaints(memory: { $0 == 90 ? 1 << 40 : 100 << 20 }) == [])
        #expect(complaints(descriptors: { $0.isMultiple(of: 3) ? 70 : 90 }) == [])
        #expect(complaints(watches: { 1_000 + 4 * $0 }).count == 1)
        #expect(complaints(watches: { 1_000 + 4 * $0 }, directories: { Int64(800 + 4 * $0) }) == [])
        // Of a short run nothing is said of memory.
        #expect(complaints(12, memory: { Int64(100 + 10 * $0) << 20 }) == [])
        #expect(complaints(0) == [])
    }
}
