import Accounting
import Foundation
import Glibc
import UsageTestKit
import Wire

// Runs usaged beside containers' work on the kernel that it is started on, and compares its figures with du:
//
//     old-kernel-check DIRECTORY
//
// It is for kernels whose overlayfs tells upper directories nothing of data, and fails on another.
guard CommandLine.arguments.count == 2 else {
    print("usage: old-kernel-check DIRECTORY")
    exit(2)
}
do {
    var check = try OldKernelCheck(directory: CommandLine.arguments[1])
    try await check.run()
    print("old-kernel-check: all figures were right")
} catch {
    print("old-kernel-check: FAILED: \(error)")
    exit(1)
}
