public import FoundationEssentials
public import Wire

/// What a reference means: an image or a container.
public enum Inspection: Sendable {
    case image(ImageDetail, json: Data)
    case container(ContainerDetail, json: Data)

    public enum Kind: String, CaseIterable, Sendable {
        case image, container
    }

    /// Looks the reference up among images and containers, or among one of them.
    ///
    /// A whole name or id wins over a prefix; where both are as good, the reference is ambiguous.
    public static func find(
        _ reference: String, among kind: Kind? = nil, of daemon: DaemonConnection
    ) throws(ClientError) -> Inspection {
        let image = kind == .container ? nil : try lookUp(.image(reference), daemon)
        let container = kind == .image ? nil : try lookUp(.container(reference), daemon)
        var found: [Inspection] = []
        var candidates: [String] = []
        if let image {
            switch image {
            case .success(let json): found.append(.image(try daemon.decode(json), json: json))
            case .failure(let failure): candidates += failure.candidates.map { "image \($0)" }
            }
        }
        if let container {
            switch container {
            case .success(let json): found.append(.container(try daemon.decode(json), json: json))
            case .failure(let failure): candidates += failure.candidates.map { "container \($0)" }
            }
        }
        let exact = found.filter { $0.isNamedWholly(by: reference) }
        if exact.count == 1 { return exact[0] }
        if found.count == 1, candidates.isEmpty { return found[0] }
        let name = TerminalText.name(reference)
        candidates = found.map(\.title) + candidates
        guard candidates.isEmpty else {
            let hint = found.count == 2 ? "; say which with --type image or --type container" : ""
            throw ClientError(
                .problem(.ambiguous), "\(name) is ambiguous\(hint); it could be:", candidates: candidates)
        }
        let what = kind?.rawValue ?? "image or container"
        throw ClientError(.problem(.notFound), "no \(what) has a name or id that begins with \(name)")
    }

    /// Nil where there is none; a failure where there are several.
    private static func lookUp(
        _ route: Route, _ daemon: DaemonConnection
    ) throws(ClientError) -> Result<Data, ClientError>? {
        do throws(ClientError) {
            return .success(try daemon.body(route))
        } catch {
            switch error.code {
            case .problem(.notFound): return nil
            case .problem(.ambiguous): return .failure(error)
            default: throw error
            }
        }
    }

    private func isNamedWholly(by reference: String) -> Bool {
        switch self {
        case .image(let detail, _):
            detail.image.id == reference || detail.image.names.contains(reference)
                || detail.image.names.contains("\(reference):latest")
        case .container(let detail, _):
            detail.container.id == reference || detail.container.name == reference
        }
    }

    private var title: String {
        switch self {
        case .image(let detail, _):
            "image \(detail.image.names.first ?? "<none>") \(detail.image.id.prefix(12))"
        case .container(let detail, _):
            "container \(detail.container.name) \(detail.container.id.prefix(12))"
        }
    }
}
