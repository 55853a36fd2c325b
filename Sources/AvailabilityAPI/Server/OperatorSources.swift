import Foundation
import StrictJSON

/// The data that the operator's routes serve.
package struct OperatorSources: Sendable {
    /// The state of the store, as JSON.
    package var status: @Sendable () async -> JSONValue
    /// All metrics of the process, in Prometheus' text format.
    package var metrics: @Sendable () async -> (bytes: [UInt8], contentType: String)

    package init(
        status: @escaping @Sendable () async -> JSONValue,
        metrics: @escaping @Sendable () async -> (bytes: [UInt8], contentType: String)
    ) {
        self.status = status
        self.metrics = metrics
    }
}
