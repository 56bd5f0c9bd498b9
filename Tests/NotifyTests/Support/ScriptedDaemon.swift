import Foundation
import Glibc
import Synchronization
import UsageTestKit
import Wire

/// A Unix socket that answers `/v1/alerts` and tells the feed what a test says, as usaged does.
final class ScriptedDaemon: Sendable {
    private struct State {
        var nextID: Int64 = 1
        var firing: [Alert] = []
        var resolved: [Alert] = []
        /// Every event since the start, for readers that come back.
        var events: [(id: Int64, line: Data)] = []
        var isEnding = false
    }

    let socket: String
    private let acceptor: Acceptor
    private let state = Mutex(State())

    init(_ scratch: ScratchDirectory) throws {
        socket = scratch("daemon.sock")
        acceptor = Acceptor(try listen(at: socket))
        acceptor.start { [weak self] in self?.serve($0) }
    }

    func end() {
        state.withLock { $0.isEnding = true }
        acceptor.end()
    }

    /// What fires now, and what was resolved lately, as `/v1/alerts` tells.
    var list: [Alert] { state.withLock { $0.firing + $0.resolved.reversed() } }

    /// Has alerts begin to fire or be resolved.
    func tell(_ alerts: [Alert]) {
        state.withLock { state in
            for alert in alerts {
                state.firing.removeAll { $0.rule == alert.rule && $0.containerID == alert.containerID }
                if alert.state == .firing {
                    state.firing.insert(alert, at: 0)
                } else {
                    state.resolved = Array((state.resolved + [alert]).suffix(100))
                }
                var event = FeedEvent(type: .alert, id: state.nextID, time: now())
                event.alert = alert
                state.events.append((state.nextID, (try? WireCoding.encode(event)) ?? Data()))
                state.nextID += 1
            }
        }
    }

    private func now() -> String {
        WireCoding.timestamp(wallNanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
    }

    private func serve(_ connection: Int32) {
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
            guard recv(connection, &byte, 1, 0) == 1 else { return }
            head.append(byte)
        }
        let text = String(decoding: head, as: UTF8.self)
        if text.hasPrefix("GET /v1/alerts ") {
            let list = AlertList(time: now(), exact: true, alerts: list, rules: ["grow"])
            let body = (try? WireCoding.encode(list)) ?? Data()
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n", connection)
            _ = send(body, connection)
        } else if text.hasPrefix("GET /v1/feed ") {
            let after = text.components(separatedBy: "\r\n").first { $0.hasPrefix("Last-Event-ID: ") }
                .flatMap { Int64($0.dropFirst("Last-Event-ID: ".count)) }
            feed(connection, after: after)
        }
    }

    private func feed(_ connection: Int32, after: Int64?) {
        guard send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n", connection) else {
            return
        }
        var last = after ?? 0
        if after == nil {
            last = state.withLock { $0.nextID - 1 }
            // The status is of no interest to who follows alerts.
            guard send(#"{"id":\#(last),"lost":0,"time":"\#(now())","type":"snapshot"}"# + "\n", connection)
            else { return }
        }
        while !state.withLock({ $0.isEnding }) {
            let start = last
            let new = state.withLock { state in
                Array(state.events.drop { $0.id <= start }.prefix(1000))
            }
            for event in new {
                guard send(event.line + Data("\n".utf8), connection) else { return }
                last = event.id
            }
            var entry = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            // Also tells that the reader has gone.
            if new.isEmpty, poll(&entry, 1, 5) > 0 { return }
        }
    }

    private func send(_ text: String, _ connection: Int32) -> Bool { send(Data(text.utf8), connection) }

    private func send(_ data: Data, _ connection: Int32) -> Bool {
        var rest = data[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
