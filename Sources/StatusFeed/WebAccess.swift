import NIOHTTP1
import Wire

/// What may be asked over TCP.
///
/// Any user of the host can connect there, and any page that a browser of the host shows can send requests there.
/// Nothing is changed, and a page can read no answer: there are no CORS headers, and a name that a stranger's server
/// lets lead to this host (DNS rebinding) is refused by its name.
enum WebAccess {
    static func check(_ head: HTTPRequestHead) throws(Refusal) {
        guard head.method == .GET else {
            throw Refusal(
                Problem(.methodNotAllowed, detail: "the TCP socket answers GET alone; use the Unix socket"),
                allow: ["GET"])
        }
        let hosts = head.headers[canonicalForm: "host"] + [authority(of: head.uri)].compactMap { $0 }
        guard !hosts.isEmpty, hosts.allSatisfy({ isOwn($0) }) else {
            throw Refusal(
                Problem(
                    .forbidden,
                    detail:
                        "the TCP socket is for this host alone; ask for http://localhost, http://127.0.0.1 or "
                        + "http://[::1] with its port"))
        }
    }

    /// The host and port of an absolute target, which goes before the Host field (RFC 9112, section 3.2.2).
    private static func authority(of target: String) -> Substring? {
        guard !target.hasPrefix("/"), let scheme = target.firstRange(of: "://") else { return nil }
        return target[scheme.upperBound...].prefix { !"/?#".contains($0) }
    }

    /// Whether it is a name of this host with a port or without.
    private static func isOwn(_ host: Substring) -> Bool {
        let name: Substring
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            name = host[...end]
        } else {
            name = host.prefix { $0 != ":" }
        }
        let rest = host[name.endIndex...]
        guard rest.isEmpty || rest.first == ":" && UInt16(rest.dropFirst()) != nil else { return false }
        return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
    }
}
