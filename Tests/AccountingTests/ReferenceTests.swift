import Accounting
import Testing

@Suite("References")
struct ReferenceTests {
    private static let store = StoreIdentity(engine: "docker", driver: "overlay2", root: "/d")
    private static let other = StoreIdentity(engine: "plain", driver: "directory", root: "/p@/x")

    let objects: [(store: StoreIdentity, id: String, names: [String])] = [
        (store, "aa11", ["ubuntu:14.04"]), (store, "aa22", ["zigiweb:latest", "zigiweb:1"]),
        (store, "bb33", ["aa22"]), (store, "cc44", []), (store, "web", []), (other, "web", []),
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

    @Test("an id that two stores hold is found with the root of its store")
    func inStore() {
        #expect(Reference.find("web", among: objects) == .ambiguous([4, 5]))
        #expect(Reference.find("web@/d", among: objects) == .found(4))
        #expect(Reference.find("w@/p@/x", among: objects) == .found(5))
        #expect(Reference.find("aa@/d", among: objects) == .ambiguous([0, 1]))
        for reference in ["web@/x", "web@/d/", "aa11@/p@/x", "@/d", "web@"] {
            #expect(Reference.find(reference, among: objects) == .none)
        }
    }

    @Test("nothing matches the empty reference or an unknown one", arguments: ["", "sha256:", "nope"])
    func none(reference: String) {
        #expect(Reference.find(reference, among: objects) == .none)
    }
}
