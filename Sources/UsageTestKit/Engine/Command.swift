internal import Glibc

/// A command that runs to its end.
public enum Command {
    public struct Result: Hashable, Sendable {
        public let status: Int32
        public let out: String
        public let err: String
    }

    /// A command failed, or did not end in time and was killed.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        init(_ arguments: [String], _ reason: String, _ exit: ChildProcess.Exit?) {
            let said = [exit?.error, exit?.output].compactMap { $0 }.filter { !$0.isEmpty }
                .map { String($0.suffix(4000)) }
            description = "\(arguments.joined(separator: " ")): \(reason)\n\(said.joined(separator: "\n"))"
        }
    }

    /// Runs `arguments` and returns how it ended and what it said, whatever its status.
    ///
    /// Past `deadline` its whole process group is killed and the call throws.
    public static func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        deadline: Duration = .seconds(60)
    ) async throws -> Result {
        let child = try await ChildProcess.start(
            arguments, environment: environment, input: input.map { .text($0) } ?? .null, output: .capture,
            error: .capture)
        do {
            let exit = try await child.ended(within: deadline)
            return Result(status: exit.status, out: exit.output, err: exit.error)
        } catch {
            child.signal(SIGKILL, group: true)
            let exit = try? await child.ended(within: .seconds(5))
            throw Failure(arguments, "not ended after \(deadline)", exit)
        }
    }

    /// Runs `arguments` and returns what it printed; throws unless it ended with status 0.
    @discardableResult
    public static func output(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        deadline: Duration = .seconds(60)
    ) async throws -> String {
        let result = try await run(arguments, input: input, environment: environment, deadline: deadline)
        guard result.status == 0 else {
            throw Failure(
                arguments, "status \(result.status)",
                ChildProcess.Exit(status: result.status, output: result.out, error: result.err))
        }
        return result.out
    }
}
