internal import Wire

/// Descriptors: connections, stores and what is looked at share the limit of open files.
struct OpenFileRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        let files = facts.openFiles
        let limit = files.limit?.value
        let isShort = limit.map { files.needed > $0 } == true
        let isUsedUp =
            facts.openFilesLent > 0 || facts.isReason(ReasonText.openFiles, unless: ReasonText.instances)
        guard isShort || isUsedUp else { return [] }
        let allowed = limit.map { "\($0) are allowed" } ?? "how many are allowed cannot be read"
        let directory = "/etc/systemd/system/usaged.service.d"
        return [
            Finding(
                id: "open-files", severity: isUsedUp ? .problem : .warning,
                what: """
                    Open files \(isUsedUp ? "are used up" : "may run short"): the daemon has \(files.used) and may come to \
                    need \(files.needed), \(allowed).
                    """,
                why: """
                    Without one no client can come in, and where those held back for looking are used up as well, \
                    figures are stale.
                    """,
                commands: [
                    "sudo mkdir -p \(directory)",
                    "printf '[Service]\\nLimitNOFILE=65536\\n' | sudo tee \(directory)/50-open-files.conf",
                    "sudo systemctl daemon-reload && \(DoctorCommand.restart)",
                ])
        ]
    }
}

/// Memory for files and directories of writable layers.
struct MemoryRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        let inodes = facts.inodes
        let limit = inodes.limit?.value ?? .max
        let isUsedUp = facts.isReason(ReasonText.memory)
        guard isUsedUp || inodes.used > limit / 5 * 4 else { return [] }
        return [
            Finding(
                id: "memory", severity: isUsedUp ? .problem : .warning,
                what: isUsedUp
                    ? "A container has more files than there is memory for."
                    : "Files of containers fill the memory for them: \(inodes.used) of \(limit).",
                why: """
                    Of all containers together \(limit) files are held in memory, of one at most half of them. A \
                    container beyond is looked at in intervals only, until it or another has fewer files; \
                    usage-client status names it.
                    """)
        ]
    }
}

/// A configuration that was not taken.
struct ConfigurationRule: DoctorRule {
    func findings(_ facts: DoctorFacts) -> [Finding] {
        guard let problem = facts.configurationProblem else { return [] }
        return [
            Finding(
                id: "configuration", severity: .problem,
                what: "The configuration is wrong, and the one before is in force.",
                why: """
                    \(problem)
                    Alert rules that were changed since are not in force. Mend it, check it, and have it read again.
                    """,
                commands: ["usaged --check-config", "sudo systemctl reload usaged.service"])
        ]
    }
}
