internal import Kernel

/// Kernels whose overlayfs tells the upper directory nothing of data that is written through the mount.
///
/// Linux 4.19 to 6.4 open the real file without notification; 6.5 (commit bc2473c90fca) tells it again.
enum OverlaySilence {
    private static let firstToTell = KernelRelease(major: 6, minor: 5)

    /// Why the events of a store's writable layers do not tell all; `nil` where they do.
    static func reason(driver: String, kernel: KernelRelease? = .current) -> String? {
        guard driver.hasPrefix("overlay"), let kernel, kernel < firstToTell else { return nil }
        return "Linux \(kernel) tells nothing of data written through overlayfs; 6.5 and later do"
    }
}
