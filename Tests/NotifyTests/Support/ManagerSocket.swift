import Foundation
import Glibc
import Synchronization
import UsageTestKit

/// What a service manager hears on `NOTIFY_SOCKET`; see `sd_notify(3)`.
final class ManagerSocket: Sendable {
    private let descriptor: Int32
    private let heard = Mutex<[String]>([])

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { [descriptor] in
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw WaitFailure(description: "cannot bind \(path)") }
    }

    deinit {
        close(descriptor)
    }

    func forget() { heard.withLock { $0 = [] } }

    /// Waits for a message that `matches`.
    func hears(_ matches: (String) -> Bool) async throws {
        do {
            try await wait(until: "the service manager to be told", deadline: .seconds(20)) {
                listen()
                return heard.withLock { $0 }.contains(where: matches)
            }
        } catch {
            throw WaitFailure(description: "\(error); it heard \(heard.withLock { $0 })")
        }
    }

    private func listen() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return }
            heard.withLock { $0.append(String(decoding: buffer[..<count], as: UTF8.self)) }
        }
    }
}
