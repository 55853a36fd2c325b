/// A dead letter that must be published again.
package struct RequestedReplay: Sendable {
    package var number: Int64
    package var fingerprint: [UInt8]

    package init(number: Int64, fingerprint: [UInt8]) {
        self.number = number
        self.fingerprint = fingerprint
    }
}
