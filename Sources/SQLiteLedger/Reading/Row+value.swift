import Foundation
import GRDB

/// Reads columns of a file that may be damaged, so that any column may contain any value.
extension Row {
    /// Returns the column's value, or throws an error about damage. GRDB's subscripts would crash the process, or read
    /// a string as the number 0.
    func value<Value: DatabaseValueConvertible>(_ index: Int) throws -> Value {
        let value: DatabaseValue = self[index]
        guard let value = Value.fromDatabaseValue(value) else { throw Self.damaged(Array(columnNames)[index]) }
        return value
    }

    /// Returns the value of the column with this name, or throws an error about damage.
    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value = (self[column] as DatabaseValue?).flatMap(Value.fromDatabaseValue)
        else { throw Self.damaged(column) }
        return value
    }

    /// Returns the value of a BLOB column that is never NULL.
    func bytes(_ index: Int) throws -> [UInt8] { Array(try value(index) as Data) }

    /// Returns the value of a BLOB column.
    func optionalBytes(named column: String) throws -> [UInt8]? { (try value(column) as Data?).map { Array($0) } }

    /// The error omits the value, which may be customer data.
    private static func damaged(_ column: String) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_CORRUPT, message: "column \(column) has a value of a different type")
    }
}
