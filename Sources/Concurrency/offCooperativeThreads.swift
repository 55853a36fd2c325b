import Dispatch

/// Runs blocking work on a dispatch queue, and awaits it without occupying a thread of the cooperative pool.
package func offCooperativeThreads<T: Sendable, E: Error>(
    _ body: @escaping @Sendable () throws(E) -> T
) async throws(E) -> T {
    let result: Result<T, E> = await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(returning: Result { () throws(E) in try body() })
        }
    }
    return try result.get()
}
