import Wire

extension Render {
    /// What `status` says of deleted but open files; nothing where it is known that there are none.
    static func deletedOpen(
        _ state: DeletedOpenState?, on systems: [FileSystem], _ options: RenderOptions
    ) -> [String] {
        guard let state else { return [] }
        let first = "deleted, still open: "
        if state.state == .unknown {
            return wrap("unknown\(reason(state))", first: first, options)
        }
        let held = systems.filter { ($0.deletedOpen?.count ?? 0) > 0 }
        guard !held.isEmpty || state.state != .complete else { return [] }
        let sums = held.map {
            "\(options.size($0.deletedOpen?.diskBytes ?? 0)) on \(TerminalText.name($0.mount))"
        }
        let bound = state.state == .atLeast ? "at least " : ""
        let sum = sums.isEmpty ? options.size(0) : sums.joined(separator: ", ")
        var lines = wrap(
            bound + sum + (state.state == .atLeast ? reason(state) : ""), first: first, options)
        for system in held { lines += files(system.deletedOpen, limit: 3, options) }
        return lines
    }

    /// What `inspect` and `containers` say below their figures where they are not complete.
    static func deletedOpenNote(_ state: DeletedOpenState?, _ options: RenderOptions) -> [String] {
        guard let state, state.state != .complete else { return [] }
        let word = state.state == .unknown ? "unknown" : "there may be more"
        return wrap(word + reason(state), first: "deleted, still open: ", options)
    }

    /// The files, the largest first, each with who holds it.
    static func deletedOpenTable(_ files: DeletedOpen?, _ options: RenderOptions) -> [String] {
        guard let files, !files.files.isEmpty else { return [] }
        var table = TextTable([
            .number("DELETED, OPEN"), .number("PID"), .name("COMMAND", shrinksTo: 8),
            .name("PATH", shrinksTo: 16),
        ])
        for file in files.files {
            table.add([
                "\(options.size(file.diskBytes))", "\(file.pid)", "\(TerminalText.prose(file.command))",
                "\(TerminalText.prose(file.path))",
            ])
        }
        return [""] + table.lines(options) + more(files, than: files.files.count)
    }

    private static func files(_ files: DeletedOpen?, limit: Int, _ options: RenderOptions) -> [String] {
        guard let files else { return [] }
        let shown = files.files.prefix(limit)
        return shown.flatMap { file in
            wrap(
                "\(options.size(file.diskBytes)) by \(TerminalText.prose(file.command)) (pid \(file.pid)): "
                    + TerminalText.prose(file.path), first: "  ", options)
        } + more(files, than: shown.count)
    }

    private static func more(_ files: DeletedOpen, than shown: Int) -> [String] {
        let rest = files.count.subtractingReportingOverflow(Int64(shown))
        return rest.partialValue > 0 && !rest.overflow ? ["  and \(rest.partialValue) more"] : []
    }

    private static func reason(_ state: DeletedOpenState) -> String {
        state.reason.map { " (\(TerminalText.prose($0)))" } ?? ""
    }
}
