import Foundation
import GRDB

extension Row {
    /// A BLOB column that is never NULL.
    func bytes(_ index: Int) -> [UInt8] { Array(self[index] as Data) }

    /// A BLOB column.
    func optionalBytes(named column: String) -> [UInt8]? { (self[column] as Data?).map { Array($0) } }
}
