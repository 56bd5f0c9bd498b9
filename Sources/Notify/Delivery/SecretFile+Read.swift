internal import FoundationEssentials
internal import Kernel
internal import Settings
internal import UsageClient

extension Receiver.SecretFile {
    private static let sizeLimit = 8 << 10

    /// The secret, without white space around it; read each time, so that it may be exchanged.
    func read() throws(NotifyError) -> String {
        let path = try self.path
        let bytes: [UInt8]
        do throws(BoundedFile.Failure) {
            bytes = try BoundedFile.read(path: path, limit: Self.sizeLimit, followingLinks: true)
        } catch {
            throw NotifyError("cannot read the secret \(path): \(error)")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        let trimmed = text.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed()
        return String(trimmed)
    }

    private var path: String {
        get throws(NotifyError) {
            switch self {
            case .path(let path): return path
            case .credential(let name):
                guard let directory = Terminal.environment("CREDENTIALS_DIRECTORY") else {
                    throw NotifyError(
                        "there is no credential \(name): no LoadCredential= in the unit, or it is not run by systemd"
                    )
                }
                return "\(directory)/\(name)"
            }
        }
    }
}
