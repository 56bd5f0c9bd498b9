import Foundation
import Glibc
import Journal
import Settings
import Testing
import UsageTestKit

@testable import Notify

@Suite(
    "https", .enabled(if: Program.isRequired("openssl"), "needs openssl"))
struct TLSTests {
    @Test("a server is believed by its certificate alone, and what was kept is delivered once it is trusted")
    func certificate() async throws {
        try await withNotifyScratch { scratch in
            let port = try WebReceiver.freePort()
            try await Command.output([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", scratch("key.pem"), "-out",
                scratch("cert.pem"),
            ])
            try await Command.output(["mkfifo", scratch("say")])
            // Held open for both, so that nobody waits for the other and the server's input has no end.
            let say = open(scratch("say"), O_RDWR | O_CLOEXEC)
            defer { close(say) }
            let server = try await ChildProcess.start(
                [
                    "sh", "-c",
                    "exec openssl s_server -quiet -accept 127.0.0.1:\(port) -cert \(scratch("cert.pem")) "
                        + "-key \(scratch("key.pem")) < \(scratch("say")) > \(scratch("heard"))",
                ], error: .file(scratch("openssl.log")), diesWithParent: true)
            func receiver(_ trusted: String?) -> Receiver {
                Receiver(
                    name: "tls",
                    kind: .webhook(
                        Receiver.Endpoint(
                            address: .url("https://127.0.0.1:\(port)/hook"), authorities: trusted)))
            }
            func heard() -> String {
                (try? String(contentsOfFile: scratch("heard"), encoding: .utf8)) ?? ""
            }
            let alert = Samples.alert("a", since: 1)
            let doubting = try Delivery(receiver(nil), scratch)
            doubting.tell([alert])
            try await wait(until: "the certificate to be refused", deadline: .seconds(30)) {
                doubting.log.lines.contains { $0.message.contains("certificate") }
            }
            try await doubting.stop()
            #expect(heard().isEmpty, "nothing is said to a server that is not believed")

            let trusting = try Delivery(receiver(scratch("cert.pem")), scratch)
            try await wait(until: "the request", deadline: .seconds(30)) { heard().hasSuffix("}") }
            #expect(heard().hasPrefix("POST /hook HTTP/1.1\r\n"))
            let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
            #expect(write(say, answer, answer.count) == answer.count)
            try await wait(until: "the delivery", deadline: .seconds(30)) { trusting.store.waiting == 0 }
            let body = heard().components(separatedBy: "\r\n\r\n").last ?? ""
            let message = try #require(
                try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
            let posted = try #require((message["alerts"] as? [[String: Any]])?.first)
            #expect(Samples.transition(posted) == Samples.transition(alert))
            try await trusting.stop()
            server.signal(SIGKILL)
            try await server.ended(within: .seconds(10))
        }
    }
}
