import Kernel

/// Runs what takes long without waiting on a thread of its own, so that it keeps none of those that all tests share.
public func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        NamedThread.start("test") { continuation.resume(with: Result { try body() }) }
    }
}
