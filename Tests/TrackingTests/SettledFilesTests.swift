import Kernel
import Testing

@testable import Tracking

@Suite("Files whose blocks stay")
struct SettledFilesTests {
    @Test(
        "on ext4 and btrfs these are files of few blocks, each of which is data for sure",
        arguments: [
            (0, 0, true), (1, 4_096, true), (4_096, 4_096, true), (4_097, 8_192, true),
            (16_384, 16_384, true),
            // A hole, so that a block may be the map's.
            (16_384, 8_192, false), (20_000, 16_384, false), (1, 8_192, false), (.max, 8_192, false),
            // As the status of a file is for a moment while it is written back: a block too few, or one too many.
            (4_096, 0, false), (8_192, 4_096, false), (4_096, 8_192, false),
            (.max, 4_096, false), (20_480, 20_480, false),
        ] as [(Int64, Int64, Bool)])
    func fewBlocks(size: Int64, allocated: Int64, isSettled: Bool) {
        #expect(SettledFiles(allocated: 16_384, block: 4_096).contains(file(size, allocated)) == isSettled)
    }

    @Test("elsewhere the allocated bytes alone tell")
    func others() {
        #expect(SettledFiles(allocated: 16_384).contains(file(100_000, 16_384)))
        #expect(!SettledFiles(allocated: 16_384).contains(file(100_000, 20_480)))
        #expect(SettledFiles.all.contains(file(.max, .max)))
        #expect(SettledFiles.none.contains(file(10, 0)) && !SettledFiles.none.contains(file(10, 4_096)))
    }

    private func file(_ size: Int64, _ allocated: Int64) -> FileStatus {
        FileStatus(
            identity: FileStatus.Identity(device: 1, inode: 2), kind: .regular, links: 1, size: size,
            allocated: allocated, changed: 0)
    }
}
