internal import Foundation

/// The address or thread sanitizer that this is built with, as `make test-sanitized` says.
package enum Sanitizer {
    package static let isOn = ProcessInfo.processInfo.environment["USAGED_TEST_SANITIZED"] != nil
    /// How many times as long as usual anything may take.
    package static let slowdown = isOn ? 6 : 1
}
