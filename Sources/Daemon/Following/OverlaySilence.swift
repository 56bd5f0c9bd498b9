internal import Kernel
internal import Synchronization

/// Whether overlayfs tells the upper directory nothing of data that is written through the mount.
///
/// Linux 4.19 to 6.4 open the real file without notification; 6.5 (commit bc2473c90fca) tells it again.
final class OverlaySilence: Sendable {
    private static let firstToTell = KernelRelease(major: 6, minor: 5)

    private let kernel: KernelRelease?
    private let find: @Sendable () -> OverlayProbe.Finding?
    /// The reason, once it was found out whether there is one.
    private let known = Mutex<String??>(nil)

    /// - Parameters:
    ///   - kernel: The version, to go by where there was no probe.
    ///   - find: What a probe of this kernel found, if there was one; called once, when it is needed.
    init(kernel: KernelRelease? = .current, find: @escaping @Sendable () -> OverlayProbe.Finding?) {
        self.kernel = kernel
        self.find = find
    }

    /// By what `usaged --probe-overlay` noted, else by a probe where this process may make one, else by the version.
    static func ofThisKernel() -> OverlaySilence {
        OverlaySilence { OverlayFinding.read() ?? (try? OverlayProbe.run()) }
    }

    /// Has it found out on a thread of its own, where a store's driver makes it matter.
    func prepare(driver: String) {
        guard Self.concerns(driver) else { return }
        NamedThread.start("overlay") { [self] in _ = reason }
    }

    /// Why the events of a store's writable layers do not tell all; `nil` where they do.
    ///
    /// The first time it waits until that is found out, for some milliseconds.
    func reason(driver: String) -> String? {
        Self.concerns(driver) ? reason : nil
    }

    private static func concerns(_ driver: String) -> Bool { driver.hasPrefix("overlay") }

    private var reason: String? {
        known.withLock { known in
            if let known { return known }
            let found = reason(find())
            known = .some(found)
            return found
        }
    }

    private func reason(_ finding: OverlayProbe.Finding?) -> String? {
        let isSilent =
            switch finding {
            case .told: false
            case .silent: true
            case nil: kernel.map { $0 < Self.firstToTell } ?? false
            }
        guard isSilent else { return nil }
        let name = kernel.map { "Linux \($0)" } ?? "this kernel"
        return
            "\(name) tells nothing of data written through overlayfs\(finding == nil ? "; 6.5 and later do" : "")"
    }
}
