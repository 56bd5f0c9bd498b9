internal import CCurl
internal import FoundationEssentials
internal import Kernel
internal import Settings
internal import UsageClient

/// Posts JSON to one endpoint and judges the answer; used by one thread, whose connection is kept.
final class HTTPClient {
    /// What is read of an answer.
    private static let answerLimit = 64 << 10
    private static let connectTimeout = Duration.seconds(5)

    private let endpoint: Receiver.Endpoint
    /// Added to the address.
    private let path: String
    private let timeout: Duration
    private var handle: OpaquePointer?

    init(_ endpoint: Receiver.Endpoint, path: String = "", timeout: Duration) {
        self.endpoint = endpoint
        self.path = path
        self.timeout = timeout
    }

    deinit {
        ccurl_close(handle)
    }

    /// Why no request can be made at all; `nil` where they can be.
    static func complaint() -> String? {
        var reason = [CChar](repeating: 0, count: 256)
        guard ccurl_load(&reason, reason.count) != 0 else { return nil }
        return "\(text(reason)); install Debian's package libcurl4"
    }

    func post(_ body: Data, isStopped: @escaping @Sendable () -> Bool) -> DeliveryOutcome {
        let url: String
        var headers = ["Content-Type: application/json", "User-Agent: usage-client/\(ClientVersion.current)"]
        do throws(NotifyError) {
            url = try address()
            if let token = try endpoint.bearerToken?.read() {
                headers.append("Authorization: Bearer \(try Self.headerValue(token))")
            }
        } catch {
            return .failed(reason: error.description)
        }
        headers += endpoint.headers.map { "\($0.name): \($0.value)" }
        if handle == nil { handle = ccurl_open() }
        guard let handle else { return .failed(reason: Self.complaint() ?? "no memory") }
        var answer = [CChar](repeating: 0, count: Self.answerLimit)
        let result = Self.perform(
            handle, url: url, headers: headers, body: body, authorities: endpoint.authorities,
            timeout: timeout,
            answer: &answer, isStopped: isStopped)
        let length = min(result.answer_length, answer.count)
        let text = String(decoding: answer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return judge(result, text)
    }

    private func address() throws(NotifyError) -> String {
        switch endpoint.address {
        case .url(let url): return appendingPath(to: url)
        case .file(let file):
            let text = try file.read()
            do throws(SettingsText.Rejection) {
                return appendingPath(to: try SettingsText.webAddress(text))
            } catch {
                // The reason would show it.
                throw NotifyError("what stands in url_file is no http or https address")
            }
        }
    }

    private func appendingPath(to url: String) -> String {
        path.isEmpty ? url : String(url.reversed().drop { $0 == "/" }.reversed()) + path
    }

    private static func headerValue(_ text: String) throws(NotifyError) -> String {
        do throws(SettingsText.Rejection) {
            return try SettingsText.headerValue(text)
        } catch {
            throw NotifyError("what stands in bearer_token_file is no token: \(error)")
        }
    }

    private func judge(_ result: ccurl_result, _ answer: String) -> DeliveryOutcome {
        let status = Int(result.status)
        guard status > 0 else { return .failed(reason: Self.failure(result)) }
        // Others choose what an answer says.
        let said = TerminalText.oneLine(String(answer.prefix(200)))
        let reason = "answered with status \(status)" + (said.isEmpty ? "" : ": \(said)")
        switch status {
        case 200..<300: return .delivered
        case 300..<400:
            return .failed(
                reason:
                    "answered with status \(status); redirects are not followed, set url to where it leads")
        case 400, 413, 422: return .refused(reason: reason)
        default:
            return .failed(
                reason: reason, retryAfter: result.retry_after > 0 ? .seconds(result.retry_after) : nil)
        }
    }

    private static func failure(_ result: ccurl_result) -> String {
        let text = withUnsafeBytes(of: result.failure) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? "no answer" : TerminalText.oneLine(text)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private final class Stop {
        let isStopped: @Sendable () -> Bool

        init(_ isStopped: @escaping @Sendable () -> Bool) {
            self.isStopped = isStopped
        }
    }

    private static func perform(
        _ handle: OpaquePointer, url: String, headers: [String], body: Data, authorities: String?,
        timeout: Duration, answer: inout [CChar], isStopped: @escaping @Sendable () -> Bool
    ) -> ccurl_result {
        var result = ccurl_result()
        let stop = Stop(isStopped)
        // Everything that C points to lives until the request is over.
        let strings = headers.map { Array($0.utf8CString) }
        let trust = authorities.map { Array($0.utf8CString) }
        let address = Array(url.utf8CString)
        withPointers(to: strings) { pointers in
            body.withUnsafeBytes { bytes in
                address.withUnsafeBufferPointer { address in
                    withOptionalPointer(to: trust) { trust in
                        answer.withUnsafeMutableBufferPointer { answer in
                            var request = ccurl_request()
                            request.url = address.baseAddress
                            request.headers = pointers.baseAddress
                            request.header_count = pointers.count
                            request.body = bytes.baseAddress
                            request.body_length = bytes.count
                            request.ca_file = trust
                            request.connect_timeout_ms = min(timeout, connectTimeout).milliseconds
                            request.timeout_ms = timeout.milliseconds
                            request.is_stopped = { context in
                                guard let context else { return 0 }
                                return Unmanaged<Stop>.fromOpaque(context).takeUnretainedValue().isStopped()
                                    ? 1 : 0
                            }
                            request.context = Unmanaged.passUnretained(stop).toOpaque()
                            request.answer = answer.baseAddress
                            request.answer_capacity = answer.count
                            ccurl_post(handle, &request, &result)
                        }
                    }
                }
            }
        }
        return withExtendedLifetime(stop) { result }
    }

    private static func withPointers(
        to strings: [[CChar]], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Void
    ) {
        var pointers: [UnsafePointer<CChar>?] = []
        func add(_ index: Int) {
            guard index < strings.count else { return pointers.withUnsafeBufferPointer(body) }
            strings[index].withUnsafeBufferPointer {
                pointers.append($0.baseAddress)
                add(index + 1)
            }
        }
        add(0)
    }

    private static func withOptionalPointer(
        to string: [CChar]?, _ body: (UnsafePointer<CChar>?) -> Void
    ) {
        guard let string else { return body(nil) }
        string.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
