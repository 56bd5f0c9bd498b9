import FoundationEssentials

/// JSON of any form, for files that engines write.
indirect enum StorageJSON: Encodable, ExpressibleByStringLiteral {
    case string(String)
    case number(Int64)
    case boolean(Bool)
    case list([StorageJSON])
    case object([String: StorageJSON])

    init(stringLiteral value: String) {
        self = .string(value)
    }

    /// A list of strings.
    static func strings(_ strings: [String]) -> StorageJSON {
        .list(strings.map(StorageJSON.string))
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .string(let text): try value.encode(text)
        case .number(let number): try value.encode(number)
        case .boolean(let isTrue): try value.encode(isTrue)
        case .list(let members): try value.encode(members)
        case .object(let members): try value.encode(members)
        }
    }

    var text: String { DockerJSON.text(self) }
}
