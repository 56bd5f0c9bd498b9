internal import Glibc
public import Journal
internal import Kernel
public import Logging
internal import Settings
internal import UsageClient
internal import Wire

/// Follows the feed and has each receiver told of every alert that fires or is resolved.
public final class NotifyService {
    private static let idleInterval = Duration.seconds(10)
    /// Alerts that are taken up at once.
    private static let batchLimit = 512
    private static let stopPatience = Duration.seconds(10)

    private struct Post {
        var receiver: Receiver
        var store: ReceiverStore
        var courier: Courier
    }

    private let options: NotifyOptions
    private let logger: Logger
    private let manager: ServiceManager
    private let directory: StateDirectory
    private let posts: [Post]
    private let feed: AlertFeed
    /// Signalled to stop, and where a receiver's standing changed.
    private let wakeUp: WakeUp
    private let isStopping = Flag()
    private var isConnected = false
    private var lastStatus = ""

    /// Opens the queues.
    ///
    /// - Throws: ``NotifyError`` with what to do.
    public init(_ options: NotifyOptions, logger: Logger, manager: ServiceManager = ServiceManager()) throws {
        self.options = options
        self.logger = logger
        self.manager = manager
        directory = try StateDirectory(options.stateDirectory)
        let wakeUp = try WakeUp()
        self.wakeUp = wakeUp
        feed = AlertFeed(DaemonConnection(socket: options.socket, timeout: options.timeout))
        var posts: [Post] = []
        for receiver in options.receivers {
            let store = try ReceiverStore(path: directory.file(of: receiver.name))
            if store.damagedLines > 0 {
                logger.warning(
                    "\(store.damagedLines) entries of the queue of receiver \(receiver.name) were damaged and left out"
                )
            }
            let courier = try Courier(
                name: receiver.name, store: store, interval: receiver.repeatInterval, logger: logger,
                now: NotifyService.seconds, changed: { wakeUp.signal() })
            posts.append(Post(receiver: receiver, store: store, courier: courier))
        }
        self.posts = posts
        forgetOthers()
    }

    /// Removes the queues of receivers that are not configured any more.
    private func forgetOthers() {
        let names = Set(options.receivers.map(\.name))
        for name in directory.receivers() where !names.contains(name) {
            let waiting = (try? ReceiverStore(path: directory.file(of: name)))?.waiting ?? 0
            directory.removeQueue(of: name)
            guard waiting > 0 else { continue }
            logger.record(
                .noticesDropped, .warning,
                "\(waiting) notices for receiver \(name) were dropped, for it is not configured any more",
                metadata: [
                    "receiver": "\(name)", "count": "\(waiting)",
                    "reason": "the receiver is not configured any more",
                ])
        }
    }

    /// A function that ends ``run()``; may be called from any thread.
    public var stopper: @Sendable () -> Void {
        { [wakeUp, isStopping] in
            isStopping.set()
            wakeUp.signal()
        }
    }

    /// Works until it is told to stop.
    public func run() {
        for post in posts { post.courier.start(maker(for: post.receiver)) }
        manager.notify(ready: status)
        logger.info(
            "delivering the alerts of \(options.socket) to \(posts.map(\.receiver.name).joined(separator: ", "))"
        )
        let beat = manager.watchdogInterval.map { $0 / 4 }
        while true {
            // In this order, so that no signal to stop is lost.
            wakeUp.clear()
            guard !isStopping.isSet else { break }
            manager.keepAlive()
            tellStatus()
            follow(within: min(Self.idleInterval, beat ?? Self.idleInterval))
        }
        manager.stopping()
        for post in posts { post.courier.stop() }
        let end = ContinuousClock.now + Self.stopPatience
        while posts.contains(where: { !$0.courier.hasEnded }), ContinuousClock.now < end {
            _ = poll(nil, 0, 10)
        }
    }

    /// Waits for news and takes it up, alerts that come together at once: the disk is waited for once.
    private func follow(within wait: Duration) {
        var alerts: [Alert] = []
        while true {
            let wake = feed.next(or: wakeUp.descriptor, within: alerts.isEmpty ? wait : .zero)
            if case .alert(let alert) = wake {
                alerts.append(alert)
                if alerts.count < Self.batchLimit { continue }
            }
            if !alerts.isEmpty {
                for post in posts where post.store.take(alerts, isWanted: post.receiver.wants) {
                    post.courier.wake()
                }
            }
            return take(wake)
        }
    }

    private func take(_ wake: AlertFeed.Wake) {
        switch wake {
        case .list(let alerts, let time):
            isConnected = true
            for post in posts
            where post.store.compare(with: alerts, time: time, isWanted: post.receiver.wants) {
                post.courier.wake()
            }
        case .connected:
            logger.notice("the daemon answers on \(options.socket)")
        case .lost(let error):
            isConnected = false
            logger.warning("\(error.summary); trying again each second")
        case .alert, .idle: break
        }
    }

    private func maker(for receiver: Receiver) -> @Sendable () -> any Sender {
        Self.maker(for: receiver, instance: Self.hostName(), logger: logger)
    }

    static func maker(
        for receiver: Receiver, instance: String, logger: Logger
    ) -> @Sendable () -> any Sender {
        {
            switch receiver.kind {
            case .command(let command):
                CommandSender(
                    receiver: receiver.name, command: command, timeout: receiver.timeout, logger: logger)
            case .webhook(let endpoint):
                WebhookSender(
                    receiver: receiver.name, endpoint: endpoint, timeout: receiver.timeout, instance: instance
                )
            case .alertmanager(let endpoint):
                AlertmanagerSender(
                    endpoint: endpoint, timeout: receiver.timeout,
                    interval: receiver.repeatInterval ?? Receiver.alertmanagerRepeat, instance: instance,
                    now: NotifyService.seconds)
            }
        }
    }

    private var status: String {
        let source = isConnected ? "Following" : "Waiting for a daemon on"
        let each = posts.map { post in
            let waiting = post.courier.waiting
            let behind = waiting == 0 ? "" : ", \(waiting) waiting"
            return switch post.courier.standing {
            case .well: "\(post.receiver.name): well\(behind)"
            case .failing: "\(post.receiver.name): failing\(behind)"
            }
        }
        return "\(source) \(options.socket); \(each.joined(separator: "; "))"
    }

    private func tellStatus() {
        let status = status
        guard status != lastStatus else { return }
        lastStatus = status
        manager.status(status)
    }

    @Sendable static func seconds() -> Int64 { Int64(time(nil)) }

    static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
