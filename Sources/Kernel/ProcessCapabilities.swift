/// The capabilities that are in force for the calling process; see capabilities(7).
public struct ProcessCapabilities: Hashable, Sendable {
    public enum Capability: UInt64, Hashable, Sendable {
        /// To list and read every directory and read every file.
        case readSearch = 2
        /// To see what processes of other users have open.
        case trace = 19

        /// The kernel's name of it.
        public var name: String {
            switch self {
            case .readSearch: "CAP_DAC_READ_SEARCH"
            case .trace: "CAP_SYS_PTRACE"
            }
        }
    }

    private let effective: UInt64

    /// Those in force now, as `/proc/self/status` has them; `nil` where that cannot be read.
    public static var current: ProcessCapabilities? {
        guard let own = try? Directory.open(path: "/proc/self"),
            let (bytes, _) = try? own.beginning(of: FileName("status"), limit: 16 << 10)
        else { return nil }
        return ProcessCapabilities(status: bytes)
    }

    /// Reads `CapEff` of a `status` file; `nil` where it is not there.
    init?(status: some Sequence<UInt8>) {
        let prefix = Array("CapEff:\t".utf8)
        let line = Array(status).split(separator: UInt8(ascii: "\n")).first { $0.starts(with: prefix) }
        guard let digits = line?.dropFirst(prefix.count),
            let set = DecimalText.number(digits, as: UInt64.self, radix: 16)
        else { return nil }
        effective = set
    }

    public func contains(_ capability: Capability) -> Bool {
        effective & 1 << capability.rawValue != 0
    }
}
