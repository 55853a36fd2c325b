import CHiredis

/// Why bytes are not an acceptable reply.
package struct ReplySyntaxError: Error, Equatable {
    let detail: String
    /// The reply may be well formed, but is longer than the limit.
    var isTooLarge = false
}
