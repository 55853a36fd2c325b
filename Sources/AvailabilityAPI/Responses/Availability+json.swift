import Domain
import NIOCore
import StrictJSON

// Writes availability as JSON, both for HTTP and for `stocktake stock --json`. The shape is a contract (openapi.yaml).

extension SnapshotVersion {
    /// Writes `{"source":…,"epoch":…,"seq":…,"as_of":…,`. The caller must append the remaining members and the `}`.
    func writeHead(into buffer: inout ByteBuffer) {
        buffer.writeStaticString(#"{"source":""#)
        buffer.writeString(source.rawValue)
        buffer.writeStaticString(#"","epoch":"#)
        buffer.writeNumber(epoch)
        buffer.writeStaticString(#","seq":"#)
        buffer.writeNumber(seq)
        buffer.writeStaticString(#","as_of":""#)
        buffer.writeString(asOf)
        buffer.writeStaticString("\",")
    }

    /// The availability of `products` in this snapshot, as JSON: `{"source":…,"products":[{"id":…,"name":…,…}]}`.
    package func json(_ products: [Availability]) -> String {
        var buffer = ByteBuffer()
        writeHead(into: &buffer)
        buffer.writeStaticString(#""products":["#)
        for (index, product) in products.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            product.write(into: &buffer)
        }
        buffer.writeStaticString("]}")
        return String(buffer: buffer)
    }
}

extension Availability {
    /// Writes `{"id":…,"name":…,` followed by the members that `write(into:product:variant:)` adds.
    fileprivate func write(into buffer: inout ByteBuffer) {
        func identity(_ stock: Stock) -> String {
            #""id":\#(JSONValue.string(stock.id.text).text),"name":\#(JSONValue.string(stock.name).text)"#
        }
        write(into: &buffer, product: identity(product)) { identity(variants[$0]) }
    }

    /// Writes `{`, the product's members, `"is_active":…,"max_quantity":…,"sold_quantity":…,"available_quantity":…,`
    /// `"is_available":…,"variants":[…]}`. Each variant has the same five members.
    ///
    /// - Parameters:
    ///   - productMembers: at least one member, without the enclosing braces.
    ///   - variantMembers: returns the same for the variant at an index.
    func write(into buffer: inout ByteBuffer, product productMembers: String, variant variantMembers: (Int) -> String) {
        product.write(into: &buffer, productMembers)
        buffer.writeStaticString(#","variants":["#)
        for (index, variant) in variants.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            variant.write(into: &buffer, variantMembers(index))
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("]}")
    }
}

extension Availability.Stock {
    /// Writes an object without its closing brace.
    fileprivate func write(into buffer: inout ByteBuffer, _ members: String) {
        buffer.writeStaticString("{")
        buffer.writeString(members)
        buffer.writeStaticString(#","is_active":"#)
        buffer.writeBool(isActive)
        buffer.writeStaticString(#","max_quantity":"#)
        buffer.writeNumber(cap)
        buffer.writeStaticString(#","sold_quantity":"#)
        buffer.writeNumber(sold)
        buffer.writeStaticString(#","available_quantity":"#)
        buffer.writeNumber(available)
        buffer.writeStaticString(#","is_available":"#)
        buffer.writeBool(isAvailable)
    }
}
