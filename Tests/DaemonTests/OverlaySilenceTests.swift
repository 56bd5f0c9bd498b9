import Foundation
import Kernel
import Testing
import UsageTestKit

@testable import Daemon

@Suite("What overlayfs does not tell")
struct OverlaySilenceTests {
    @Test("layers of overlayfs are called silent by what a probe found, else by the kernel's version")
    func overlaySilence() {
        func reason(
            _ driver: String, _ major: Int, _ minor: Int, _ finding: OverlayProbe.Finding? = nil
        ) -> String? {
            OverlaySilence(finding: finding, kernel: KernelRelease(major: major, minor: minor))
                .reason(driver: driver)
        }
        #expect(reason("overlay2", 6, 1)?.contains("6.1") == true)
        #expect(reason("overlay2", 6, 4) != nil)
        #expect(reason("overlay2", 6, 5) == nil)
        #expect(reason("directory", 6, 1) == nil)
        #expect(reason("overlay2", 6, 1, .told) == nil)
        #expect(reason("overlay2", 6, 9, .silent) != nil)
        #expect(reason("directory", 6, 9, .silent) == nil)
    }

    @Test("what a probe noted is read again, unless another than root wrote it", .enabled(if: geteuid() == 0))
    func overlayFinding() throws {
        let directory = try ScratchDirectory("probe")
        defer { try? FileManager.default.removeItem(atPath: directory.path) }
        // Tests beside this one mount in their scratch directories.
        func mountsOfTheHost() throws -> [Substring] {
            try ProcessFile.text("/proc/self/mountinfo").split(separator: "\n")
                .filter { !$0.contains("/usaged-") }
        }
        let mounts = try mountsOfTheHost()
        let finding: OverlayProbe.Finding =
            try OverlayFinding.note(in: directory("run")) ? .told : .silent
        #expect(OverlayFinding.read(in: directory("run")) == finding)
        #expect(try mountsOfTheHost() == mounts)
        #expect(chown(directory("run/overlay-events"), 1000, 1000) == 0)
        #expect(OverlayFinding.read(in: directory("run")) == nil)
        #expect(OverlayFinding.read(in: directory("nowhere")) == nil)
        try directory.write("perhaps\n", to: "run/overlay-events")
        #expect(OverlayFinding.read(in: directory("run")) == nil)
    }
}
