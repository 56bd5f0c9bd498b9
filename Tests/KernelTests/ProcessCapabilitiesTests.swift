import Testing

@testable import Kernel

@Suite("The capabilities of a process")
struct ProcessCapabilitiesTests {
    @Test(
        "each is a bit of CapEff",
        arguments: [
            ("0000000000000000", false, false), ("0000000000000004", true, false),
            ("0000000000080000", false, true), ("000001ffffffffff", true, true),
        ])
    func bits(set: String, search: Bool, trace: Bool) throws {
        let text = "Name:\tusaged\nCapInh:\t000001ffffffffff\nCapEff:\t\(set)\nCapBnd:\t000001ffffffffff\n"
        let found = try #require(ProcessCapabilities(status: Array(text.utf8)))
        #expect(found.contains(.readSearch) == search)
        #expect(found.contains(.trace) == trace)
    }

    @Test(
        "without a set, or with one that is no number, nothing is said",
        arguments: ["", "CapEff:\tx\n", "CapPrm:\t4\n"])
    func unknown(text: String) {
        #expect(ProcessCapabilities(status: Array(text.utf8)) == nil)
    }
}
