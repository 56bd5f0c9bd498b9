internal import Kernel

/// Whether overlayfs tells the upper directory nothing of data that is written through the mount.
///
/// Linux 4.19 to 6.4 open the real file without notification; 6.5 (commit bc2473c90fca) tells it again.
struct OverlaySilence: Sendable {
    private static let firstToTell = KernelRelease(major: 6, minor: 5)

    private let reason: String?

    /// - Parameters:
    ///   - finding: What a probe of this kernel found, if there was one.
    ///   - kernel: The version, to go by where there was none.
    init(finding: OverlayProbe.Finding?, kernel: KernelRelease? = .current) {
        let isSilent =
            switch finding {
            case .told: false
            case .silent: true
            case nil: kernel.map { $0 < Self.firstToTell } ?? false
            }
        let name = kernel.map { "Linux \($0)" } ?? "this kernel"
        reason =
            isSilent
            ? "\(name) tells nothing of data written through overlayfs\(finding == nil ? "; 6.5 and later do" : "")"
            : nil
    }

    /// By what `usaged --probe-overlay` noted, else by a probe where this process may make one, else by the version.
    ///
    /// It blocks on files.
    static func ofThisKernel() -> OverlaySilence {
        OverlaySilence(finding: OverlayFinding.read() ?? (try? OverlayProbe.run()))
    }

    /// Why the events of a store's writable layers do not tell all; `nil` where they do.
    func reason(driver: String) -> String? {
        driver.hasPrefix("overlay") ? reason : nil
    }
}
