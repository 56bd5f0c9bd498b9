import Foundation
import Testing

/// The list of faults that tracking must withstand, each with its number; every test compares with a full walk.
///
/// Beside these: 4 is in ``OverloadTests``, 18 in `SimulationTests`.
@Suite("The list of faults")
struct FaultListTests {
    static let isLong = ProcessInfo.processInfo.environment["USAGED_TEST_ALL"] != nil
}
