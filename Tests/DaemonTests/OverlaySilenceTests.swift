import Dispatch
import Foundation
import Kernel
import Synchronization
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
            OverlaySilence(kernel: KernelRelease(major: major, minor: minor)) { finding }
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

    @Test("the kernel is probed once, when a store of overlayfs needs it, and whoever asks meanwhile waits")
    func probedOnce() async throws {
        let probes = Atomic(0)
        let mayEnd = DispatchSemaphore(value: 0)
        let silence = OverlaySilence(kernel: KernelRelease(major: 6, minor: 9)) {
            probes.add(1, ordering: .relaxed)
            mayEnd.wait()
            return .silent
        }
        silence.prepare(driver: "btrfs")
        #expect(silence.reason(driver: "btrfs") == nil)
        #expect(probes.load(ordering: .relaxed) == 0)
        silence.prepare(driver: "overlay2")
        try await wait(until: "the probe") { probes.load(ordering: .relaxed) == 1 }
        let answer = Mutex<String??>(nil)
        NamedThread.start("asks") {
            let reason = silence.reason(driver: "overlay2")
            answer.withLock { $0 = .some(reason) }
        }
        #expect(answer.withLock { $0 } == nil)
        mayEnd.signal()
        try await wait(until: "the answer") { answer.withLock { $0 != nil } }
        #expect(answer.withLock { $0 } == "Linux 6.9 tells nothing of data written through overlayfs")
        #expect(
            silence.reason(driver: "overlay") == "Linux 6.9 tells nothing of data written through overlayfs")
        #expect(probes.load(ordering: .relaxed) == 1)
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
