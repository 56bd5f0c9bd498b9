/// What HTTP asks of addresses and headers.
extension SettingsText {
    /// Takes an `http` or `https` URL without user and password.
    public static func webAddress(_ text: String) throws(Rejection) -> String {
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else {
            throw Rejection("\(quote(text)) is no address; it must begin with https:// or http://")
        }
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Rejection(
                "an address has 2048 characters of ASCII at most, without spaces; write others as %NN")
        }
        let authority = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else {
            throw Rejection(
                "an address must not hold a password, for this file can be read by all; use bearer_token_file or url_file"
            )
        }
        guard !authority.isEmpty, !authority.hasPrefix(":") else {
            throw Rejection("\(quote(text)) names no host")
        }
        return text
    }

    /// Checks that a header may be set: those that frame the request may not.
    static func checkHeaderName(_ name: String) throws(Rejection) {
        // `tchar` of RFC 9110.
        let isToken = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains($0)
            }
        }
        guard isToken, (1...128).contains(name.utf8.count) else {
            throw Rejection("\(quote(name)) is no name of a header")
        }
        let own = ["connection", "content-length", "content-type", "expect", "host", "transfer-encoding"]
        guard !own.contains(name.lowercased()) else {
            throw Rejection("\(name) is set by the client itself")
        }
    }

    /// Takes the value of a header, or a secret that becomes part of one.
    public static func headerValue(_ text: String) throws(Rejection) -> String {
        guard !text.isEmpty, text.utf8.count <= 8192, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw Rejection("a header's value has 1 to 8192 characters of ASCII, without controls")
        }
        return text
    }
}
