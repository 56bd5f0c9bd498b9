internal import Wire

/// Stores that are missing, cannot be read, or are not exact for a reason that no other rule explains.
struct StoreRule: DoctorRule {
    /// Objects named of one store.
    private static let objects = 5

    func findings(_ facts: DoctorFacts) -> [Finding] {
        guard !facts.sources.isEmpty else { return facts.reasons.isEmpty ? [missing] : [] }
        return facts.sources.compactMap { source in
            switch source.state {
            case .exact, .converging: nil
            case .polling: isExplained(source, facts) ? nil : finding(source, "polled", Self.polled)
            case .stale: isExplained(source, facts) ? nil : finding(source, "stale", Self.stale)
            case .damaged: finding(source, "damaged", Self.damaged)
            }
        }
    }

    private var missing: Finding {
        Finding(
            id: "store", severity: .problem, what: "No store of a container engine was found on this host.",
            why: """
                There is nothing to account. Docker's is looked for at data-root of /etc/docker/daemon.json, else at \
                /var/lib/docker. One elsewhere is named in the configuration.
                """,
            commands: [
                "echo 'stores: [docker=/PATH]' | sudo tee /etc/usaged/conf.d/50-local.yaml",
                DoctorCommand.restart,
            ])
    }

    private func isExplained(_ source: Source, _ facts: DoctorFacts) -> Bool {
        guard source.problems.isEmpty || source.state != .damaged, let reason = source.reason else {
            return false
        }
        return (ReasonText.all + facts.silences).contains { reason.contains($0) }
    }

    private static let polled = "It is looked at in intervals only, and no answer is exact."
    private static let stale =
        "Its figures are the last ones known, and no answer is exact until it can be read."
    private static let damaged = "What its files say is wrong; figures of these objects are missing or old."

    private func finding(_ source: Source, _ word: String, _ why: String) -> Finding {
        var what = "The store of \(source.engine) at \(source.root) is \(word)"
        if let reason = source.reason { what += ": \(reason)" }
        let objects = source.problems.prefix(Self.objects).map { "\($0.object): \($0.reason) (\($0.path))" }
        let more = source.problems.count - objects.count
        let isPermission = (source.reason ?? "").contains("permission denied")
        return Finding(
            id: "store", severity: .problem, what: what + ".",
            why: ([why] + (source.problems.count > 1 ? ["Objects:"] + [objects.joined(separator: "; ")] : [])
                + (more > 0 ? ["And \(more) more."] : [])).joined(separator: " "),
            commands: isPermission ? ["systemctl show -p User,AmbientCapabilities usaged.service"] : [])
    }
}

/// A kernel that does not tell all that happens, where the watches in containers' mounts do not make up for it.
struct KernelRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        let reasons = facts.sources.compactMap(\.reason) + facts.containers.compactMap(\.reason)
        return facts.silences.filter { silence in reasons.contains { $0.contains(silence) } }.map { silence in
            Finding(
                id: "kernel", severity: .problem, what: "The kernel does not tell all changes: \(silence).",
                why: """
                    What containers write is seen at the next look only, so that no answer is exact and an alert comes \
                    later. A newer kernel mends it; on Debian 12 that of the backports: linux-image-amd64 of \
                    bookworm-backports.
                    """)
        }
    }
}
