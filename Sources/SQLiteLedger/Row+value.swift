import Foundation
import GRDB

/// Columns of a file that may be damaged: any column may hold any value.
extension Row {
    /// The column's value, or an error about damage. GRDB's subscripts would crash the process, or take a text for the
    /// number 0.
    func value<Value: DatabaseValueConvertible>(_ index: Int) throws -> Value {
        let value: DatabaseValue = self[index]
        guard let value = Value.fromDatabaseValue(value) else { throw Self.damaged(Array(columnNames)[index]) }
        return value
    }

    /// The same by the column's name.
    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value = (self[column] as DatabaseValue?).flatMap(Value.fromDatabaseValue)
        else { throw Self.damaged(column) }
        return value
    }

    /// A BLOB column that is never NULL.
    func bytes(_ index: Int) throws -> [UInt8] { Array(try value(index) as Data) }

    /// A BLOB column.
    func optionalBytes(named column: String) throws -> [UInt8]? { (try value(column) as Data?).map { Array($0) } }

    /// Without the value, which may be customer data.
    private static func damaged(_ column: String) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_CORRUPT, message: "column \(column) has a value of another type")
    }
}
