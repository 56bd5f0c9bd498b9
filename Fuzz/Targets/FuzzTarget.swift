/// A reader of bytes that others chose, with what must hold of its result whatever they are.
struct FuzzTarget: Sendable {
    /// Names the target and its folder of `Fuzz/Corpus`.
    let name: String
    /// Reads an input; throws a ``FuzzFinding`` where a property does not hold.
    let run: @Sendable ([UInt8]) throws -> Void

    static let all: [FuzzTarget] = [
        inotify, mounts, docker, bolt, settings, settingsText, http, response, wire, state,
    ]

    static func named(_ name: String) -> FuzzTarget? {
        all.first { $0.name == name }
    }
}

/// A property that does not hold.
struct FuzzFinding: Error, CustomStringConvertible {
    let description: String
}

/// Throws a finding unless `condition` holds.
func require(_ condition: Bool, _ property: @autoclosure () -> String) throws {
    guard condition else { throw FuzzFinding(description: property()) }
}

/// An input's bytes, taken from its front.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// The next byte; 0 where there is none.
    mutating func byte() -> Int {
        Int(rest.popFirst() ?? 0)
    }
}
