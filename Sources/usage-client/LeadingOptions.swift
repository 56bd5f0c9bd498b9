internal import ArgumentParser

/// Common options that stand before the command, as in `usage-client --socket PATH status`.
///
/// The parser takes options of a command behind its name only, so they are moved there.
enum LeadingOptions {
    private static let flags: Set = ["--json", "--iec", "--bytes"]
    private static let withValue: Set = ["--socket", "--timeout", "--color", "--colour"]

    /// The arguments with the command first.
    ///
    /// - Throws: Where common options are all there is: the command is missing.
    static func moved(_ arguments: [String]) throws -> [String] {
        var rest = arguments[...]
        while let first = rest.first {
            if flags.contains(first) || withValue.contains(where: { first.hasPrefix($0 + "=") }) {
                rest = rest.dropFirst()
            } else if withValue.contains(first) {
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        let leading = arguments[..<rest.startIndex]
        guard !leading.isEmpty else { return arguments }
        guard let command = rest.first else {
            throw ValidationError("There is no command after \(leading.joined(separator: " ")).")
        }
        // What is no command, as --help or an unknown option, is for the parser alone.
        guard !command.hasPrefix("-"), command != "help" else { return Array(rest) }
        return [command] + leading + rest.dropFirst()
    }
}
