/// A number of units of an SKU.
package struct SKUUnits: Sendable, Equatable {
    package var sku: SKU
    package var units: Int64

    package init(_ sku: SKU, _ units: Int64) {
        self.sku = sku
        self.units = units
    }
}
