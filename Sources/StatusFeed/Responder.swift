import NIOCore
import Wire

/// Puts a request to the daemon and writes its answer as JSON, on the cooperative pool.
struct Responder: Sendable {
    let provider: any StatusProvider
    let permits: PermitPool
    let daemonUserID: UInt32
    private let shared = SharedAnswers()

    init(provider: any StatusProvider, permits: PermitPool, daemonUserID: UInt32) {
        self.provider = provider
        self.permits = permits
        self.daemonUserID = daemonUserID
    }

    func answer(_ route: Route, for peer: Peer) async -> Answer {
        // Without a permit: a health check must not wait behind others.
        if route == .health { return .json(provider.health()) }
        if route.changesSomething, !peer.isPrivileged { return .problem(notPermitted(peer)) }
        let isPrivileged = peer.isPrivileged
        let respond = { @Sendable in
            try await permits.run(privileged: isPrivileged) { await self.respond(to: route) }
        }
        do {
            if route.changesSomething { return try await respond() }
            return try await shared.answer(
                SharedAnswers.Question(route: route, isPrivileged: isPrivileged), by: respond)
        } catch {
            return .problem(Problem(.unavailable, detail: "the request was given up; ask again"))
        }
    }

    /// The feed's `snapshot` with the id of the last event before it was asked for.
    func snapshot(id: Int64, lost: Int64?, format: FeedFormat, for peer: Peer) async throws -> ByteBuffer {
        try await permits.run(privileged: peer.isPrivileged) {
            let status = await provider.status(top: nil)
            let event = FeedEvent(type: .snapshot, id: id, time: status.time, status: status, lost: lost)
            return try format.encode(event)
        }
    }

    private func respond(to route: Route) async -> Answer {
        do throws(Problem) {
            switch route {
            case .status(let top): return .json(await provider.status(top: top))
            case .images: return .json(await provider.images())
            case .image(let reference): return .json(try await provider.image(reference))
            case .tree: return .json(await provider.tree())
            case .layers: return .json(await provider.layers())
            case .containers: return .json(await provider.containers())
            case .container(let reference): return .json(try await provider.container(reference))
            case .volumes: return .json(await provider.volumes())
            case .orphans: return .json(await provider.orphans())
            case .explain(let reference): return .json(try await provider.explain(reference))
            case .reclaim(let request): return .json(try await provider.reclaim(request))
            case .alerts: return .json(await provider.alerts())
            case .doctor: return .json(await provider.doctor())
            case .since(let mark): return .json(try await provider.since(mark))
            case .setMark(let name): return .json(try await provider.setMark(name))
            case .health: return .json(provider.health())
            case .feed: throw Problem(.internal, detail: "the feed is not one answer")
            }
        } catch {
            return .problem(error)
        }
    }

    private func notPermitted(_ peer: Peer) -> Problem {
        let who = peer.userID.map { "uid \($0)" } ?? "a connection that is not a Unix socket's"
        return Problem(
            .forbidden,
            detail:
                "a mark may be set by uid 0 and by the daemon's own user, uid \(daemonUserID), on the Unix "
                + "socket; this request came from \(who)")
    }
}
