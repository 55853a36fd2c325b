import GRDB
import GRDBSQLite
import Glibc
import Files

/// Opens SQLite files by the bytes of their names. All code in this module that opens one uses this type.
///
/// SQLite and GRDB take a name as text. When SQLite opens a file, it asks its VFS once for the full path, and derives
/// all other names (-wal, -shm, -journal) from the returned bytes. Therefore this file registers a VFS that differs
/// from the default one only in this call. `file:` URIs would work for opening if SQLite was built to accept them, but
/// GRDB does not enable them; and a name through /proc would not be the name that other processes see in messages.
enum SQLiteFile {
    static func open(_ path: String, _ configuration: Configuration = Configuration()) throws -> DatabaseQueue {
        takeNames
        // A name that begins with "file:" is a URI for some builds of SQLite.
        return try DatabaseQueue(
            path: FilePath.isAbsolute(path) ? path : "./" + path, configuration: configuration)
    }

    /// Registers the VFS, once per process, before the first file is opened.
    private static let takeNames: Void = {
        guard let usual = sqlite3_vfs_find(nil) else { return }
        let own = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        own.initialize(to: usual.pointee)
        own.pointee.pNext = nil
        own.pointee.zName = UnsafePointer(strdup("stocktake"))
        usualFullPathname = usual.pointee.xFullPathname
        own.pointee.xFullPathname = { vfs, name, size, result in
            guard let full = usualFullPathname, let name else { return SQLITE_CANTOPEN }
            // A name that is not UTF-8 consists of the file's bytes already.
            guard let text = String(validatingCString: name) else { return full(vfs, name, size, result) }
            return FilePath.withCString(text) { full(vfs, $0, size, result) }
        }
        // It lives as long as the process. It is registered as the default, because GRDB selects no VFS by name.
        sqlite3_vfs_register(own, 1)
    }()

    /// `xFullPathname` of the default VFS. It is set once, before the VFS that calls it is registered.
    nonisolated(unsafe) private static var usualFullPathname:
        (
            @convention(c) (
                UnsafeMutablePointer<sqlite3_vfs>?, UnsafePointer<CChar>?, Int32, UnsafeMutablePointer<CChar>?
            ) -> Int32
        )?
}
