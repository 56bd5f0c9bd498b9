import Accounting
import Testing

@Suite("References")
struct ReferenceTests {
    let objects: [(id: String, names: [String])] = [
        ("aa11", ["ubuntu:14.04"]), ("aa22", ["zigiweb:latest", "zigiweb:1"]), ("bb33", ["aa22"]),
        ("cc44", []),
    ]

    @Test(
        "an id, a name, a name without latest and an unambiguous prefix find one object",
        arguments: [
            ("aa11", 0), ("sha256:aa22", 1), ("zigiweb", 1), ("zigiweb:1", 1), ("ubuntu", 0), ("cc", 3),
            ("b", 2),
        ])
    func found(reference: String, index: Int) {
        #expect(Reference.find(reference, among: objects) == .found(index))
    }

    @Test("an exact id wins over a name that reads the same")
    func exactID() {
        #expect(Reference.find("aa22", among: objects) == .found(1))
    }

    @Test("a prefix of several ids is ambiguous and names them all")
    func ambiguous() {
        #expect(Reference.find("aa", among: objects) == .ambiguous([0, 1]))
    }

    @Test("nothing matches the empty reference or an unknown one", arguments: ["", "sha256:", "nope"])
    func none(reference: String) {
        #expect(Reference.find(reference, among: objects) == .none)
    }
}
