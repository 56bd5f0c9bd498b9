import Wire

/// One question of the contract.
enum Route: Hashable, Sendable {
    /// `top` is how many of each list are wanted; `nil` for all.
    case status(top: Int?)
    case images, tree, layers, containers, alerts, doctor, health
    case image(String)
    case container(String)
    case volumes, orphans
    case explain(String)
    case reclaim(ReclaimRequest)
    case since(String)
    case setMark(String)
    /// `since` is the query's resume point, not yet parsed.
    case feed(since: String?)

    /// Whether each request for it is to be done by itself.
    var changesSomething: Bool {
        if case .setMark = self { true } else { false }
    }

    /// Finds the route of a request.
    ///
    /// A trailing slash is ignored. An image's name may hold slashes, percent-encoded or not:
    /// `/v1/images/library/nginx:1` and `/v1/images/library%2Fnginx%3A1` are one.
    static func of(method: String, target text: String) throws(Refusal) -> Route {
        let (route, allowed) = try find(text)
        guard allowed.contains(method) else {
            throw Refusal(
                Problem(
                    .methodNotAllowed,
                    detail:
                        "\(printable(method)) is not served here; use \(allowed.joined(separator: " or "))"),
                allow: allowed)
        }
        return route
    }

    private static func find(_ text: String) throws(Refusal) -> (Route, allowed: [String]) {
        do throws(Problem) {
            let target = try RequestTarget(text)
            guard let found = try match(target) else {
                throw Problem(
                    .notFound, detail: "no such path: \(printable(text)); the paths are \(paths)")
            }
            return found
        } catch {
            throw Refusal(error)
        }
    }

    private static let read = ["GET", "HEAD"]
    private static let paths =
        "/v1/status, /v1/images, /v1/images/{id}, /v1/tree, /v1/layers, /v1/containers, /v1/containers/{id}, "
        + "/v1/volumes, /v1/orphans, /v1/explain/{id}, /v1/reclaim, /v1/alerts, /v1/doctor, /v1/since/{mark}, "
        + "/v1/marks/{name}, /v1/feed and /healthz"

    private static func match(_ target: RequestTarget) throws(Problem) -> (Route, allowed: [String])? {
        var segments = target.segments
        if segments.count > 1, segments.last?.isEmpty == true { segments.removeLast() }
        if segments == ["healthz"] { return (.health, read) }
        guard segments.first == "v1", segments.count >= 2 else { return nil }
        let rest = segments[2...]
        guard
            rest.allSatisfy({ !$0.isEmpty })
                || ["images", "explain"].contains(segments[1]) && rest.first?.isEmpty == false
        else {
            return nil
        }
        switch (segments[1], rest.count) {
        case ("status", 0): return (.status(top: try target.count("top")), read)
        case ("images", 0): return (.images, read)
        case ("images", _):
            return (.image(try PercentCoding.decode(Substring(rest.joined(separator: "/")))), read)
        case ("tree", 0): return (.tree, read)
        case ("layers", 0): return (.layers, read)
        case ("containers", 0): return (.containers, read)
        case ("containers", 1): return (.container(try PercentCoding.decode(segments[2])), read)
        case ("volumes", 0): return (.volumes, read)
        case ("orphans", 0): return (.orphans, read)
        case ("explain", _) where !rest.isEmpty:
            return (.explain(try PercentCoding.decode(Substring(rest.joined(separator: "/")))), read)
        case ("reclaim", 0): return (.reclaim(try ReclaimRequest(target)), ["POST"])
        case ("alerts", 0): return (.alerts, read)
        case ("doctor", 0): return (.doctor, read)
        case ("since", 1): return (.since(try PercentCoding.decode(segments[2])), read)
        case ("marks", 1): return (.setMark(try PercentCoding.decode(segments[2])), ["POST"])
        case ("feed", 0): return (.feed(since: try target.parameter("since")), read)
        default: return nil
        }
    }

    /// What a client sent, short enough and safe to print.
    private static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(200).map {
                $0.isASCII && $0.value >= 0x20 && $0.value != 0x7F ? Character($0) : "?"
            })
    }
}

/// A request that is not put to the daemon.
struct Refusal: Error {
    var problem: Problem
    /// The methods that the path does serve, for `Allow`.
    var allow: [String]

    init(_ problem: Problem, allow: [String] = []) {
        self.problem = problem
        self.allow = allow
    }
}
