import UsageTestKit

/// Does random work on files in a process of its own: `random-writer ROOT SEED OPERATIONS [OUTSIDE]`.
let arguments = CommandLine.arguments
guard arguments.count >= 4, let seed = UInt64(arguments[2]), let operations = Int(arguments[3]) else {
    fatalError("usage: random-writer ROOT SEED OPERATIONS [OUTSIDE]")
}
var work = RandomSystemCalls(
    root: arguments[1], seed: seed, outside: arguments.count > 4 ? arguments[4] : nil)
for _ in 0..<operations { work.step() }
work.finish()
