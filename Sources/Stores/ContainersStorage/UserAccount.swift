import Kernel

/// A user of this host, as `passwd(5)` has it.
struct UserAccount: Hashable, Sendable {
    var name: String
    var uid: UInt32
    var home: String

    /// The users with a home, each home once; those that another service knows of are not among them.
    static func all(passwd path: String) throws(MetadataFault) -> [UserAccount] {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(path: AbsolutePath.resolve(path), limit: 16 << 20)
        } catch {
            if error.isMissing { return [] }
            throw MetadataFault(error, path: path)
        }
        var homes: Set<String> = []
        return bytes.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count >= 6, let uid = UInt32(fields[2]), fields[5].hasPrefix("/"), fields[5] != "/",
                homes.insert(fields[5]).inserted
            else { return nil }
            return UserAccount(name: fields[0], uid: uid, home: fields[5])
        }
    }

    /// The path with `$HOME`, `$USER` and `$UID` replaced, as an engine that the user runs has it.
    func expand(_ path: String) -> String {
        let values = ["HOME": home, "USER": name, "UID": String(uid)]
        var text = ""
        var rest = path[...]
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let isBraced = rest.first == "{"
            let start = isBraced ? rest.dropFirst() : rest
            let name = start.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            let end = start[name.endIndex...]
            guard !name.isEmpty, !isBraced || end.first == "}" else {
                text += "$"
                continue
            }
            text += values[String(name)] ?? ""
            rest = isBraced ? end.dropFirst() : end
        }
        return text + rest
    }
}
