import Accounting

@testable import Settings

extension FuzzTarget {
    /// The configuration: a file, and behind a byte that is no UTF-8 (0xFF) a drop-in.
    static let settings = FuzzTarget(name: "settings") { bytes in
        let parts = bytes.split(separator: 0xFF, maxSplits: 1, omittingEmptySubsequences: false)
        let files = zip(["usaged.yaml", "conf.d/10.yaml"], parts).map { (path: $0, bytes: Array($1)) }
        let error: SettingsError
        do {
            return try check(try Settings.load(files: files))
        } catch let refusal as SettingsError {
            error = refusal
        }
        try require(!error.issues.isEmpty, "an error says what is wrong")
        for issue in error.issues {
            guard let file = files.first(where: { $0.path == issue.file }) else {
                throw FuzzFinding(description: "an issue of no file: \(issue)")
            }
            try check(issue, in: file.bytes)
        }
    }

    private static func check(_ issue: SettingsIssue, in bytes: [UInt8]) throws {
        try requirePrintable(issue.description)
        let text = String(decoding: bytes, as: UTF8.self)
        // A file that ends with a line break has an empty line behind it.
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        guard let line = issue.line else {
            try require(issue.column == nil, "a column without a line: \(issue)")
            return
        }
        try require((1...lines.count + 1).contains(line), "line \(line) of \(lines.count): \(issue)")
        if let column = issue.column {
            try require((1...bytes.count + 1).contains(column), "column \(column): \(issue)")
        }
    }

    private static func check(_ settings: Settings) throws {
        let tracking = settings.tracking
        try require(
            (.milliseconds(10) ... .seconds(1)).contains(tracking.batchInterval)
                && (.seconds(1) ... .seconds(3600)).contains(tracking.pollingInterval)
                && (.seconds(60) ... .seconds(30 * 86_400)).contains(tracking.auditInterval)
                && (.milliseconds(50) ... .seconds(30)).contains(tracking.barrierDeadline)
                && (64...100_000_000).contains(tracking.watchBudget ?? 64), "\(tracking) is within bounds")
        let paths = [settings.socketPath, settings.stateDirectory, settings.dockerDaemonJSON]
        for path in paths + settings.stores.map(\.path) {
            try require(path.hasPrefix("/") && !path.utf8.contains(0), "\(path) is absolute")
            try requireNoControls(path)
        }
        try require(settings.socketPath.utf8.count <= 107, "the socket's path fits an address")
        try require(settings.alerts.count <= 200, "\(settings.alerts.count) rules")
        try require(Set(settings.stores).count == settings.stores.count, "no store is named twice")
        try require(
            Set(settings.alerts.map(\.name)).count == settings.alerts.count, "no rule's name is given twice")
        for rule in settings.alerts {
            try require(
                rule.limitBytes > 0 && (1...rule.limitBytes).contains(rule.clearBytes)
                    && (0...604_800).contains(rule.forSeconds)
                    && (1...86_400).contains(rule.kind.windowSeconds ?? 1), "\(rule) is within bounds")
        }
    }

    private static func requireNoControls(_ path: String) throws {
        try require(path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(path) holds no control character")
    }
}
