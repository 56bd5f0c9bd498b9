import Foundation
import Journal
import Logging

// What the tests of the module run in a process of its own: its environment and descriptors are the test.
let arguments = CommandLine.arguments.dropFirst()
let environment = ProcessInfo.processInfo.environment

switch arguments.first {
case "log":
    let output = LogOutput(JournalBackend.choose(environment: environment))
    LoggingSystem.bootstrap { output.handler(label: $0) }
    let logger = Logger(label: "probe")
    logger.record(
        .alertFiring, .warning, "web\u{1B}[31m\n<0>forged grew too much",
        metadata: [
            "rule": "growth", "container": "web\n<0>forged", "container_id": "0123", "image": "nginx",
            "value_bytes": "9223372036854775807", "limit_bytes": "1000",
        ])
    logger.record(.alertResolved, .notice, "web is small again", metadata: ["rule": "growth"])
    logger.info("plain", metadata: ["large": "\(String(repeating: "x", count: 70_000))"])
    exit(output.flush(seconds: 10) ? 0 : 1)
case "flood":
    let output = LogOutput(JournalBackend.choose(environment: environment))
    LoggingSystem.bootstrap { output.handler(label: $0) }
    let logger = Logger(label: "probe")
    for number in 0..<2000 { logger.record(.containerAdded, .info, "container \(number)") }
    logger.record(.alertFiring, .critical, "not to be missed")
    exit(output.flush(seconds: 10) ? 0 : 1)
case "notify":
    let manager = ServiceManager()
    let told = [
        manager.notify(ready: "3 stores\nMAINPID=1"), manager.status("busy"), manager.reloading(),
        manager.keepAlive(), manager.stopping(),
    ]
    print(told.map { "\($0)" }.joined(separator: " "))
    print(manager.watchdogInterval.map { "\($0.components.seconds)" } ?? "none")
case "sockets":
    let sockets = PassedSockets.take()
    print("feed \(sockets.feed) web \(sockets.web)")
    for refused in sockets.refused { print("refused \(refused.name): \(refused.reason)") }
    for descriptor in sockets.feed + sockets.web {
        print("cloexec \(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)")
    }
    print("again \(PassedSockets.take() == PassedSockets())")
default:
    exit(2)
}
