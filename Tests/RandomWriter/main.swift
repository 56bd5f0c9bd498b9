import UsageTestKit

/// Does random work on files in a process of its own: `random-writer ROOT SEED plain|mixed OPERATIONS [OUTSIDE]`.
let arguments = CommandLine.arguments
guard arguments.count >= 5, let seed = UInt64(arguments[2]), let operations = Int(arguments[4]) else {
    fatalError("usage: random-writer ROOT SEED plain|mixed OPERATIONS [OUTSIDE]")
}
var work = RandomSystemCalls(
    root: arguments[1], seed: seed, outside: arguments.count > 5 ? arguments[5] : nil)
for _ in 0..<operations { arguments[3] == "plain" ? work.plainStep() : work.step() }
work.finish()
