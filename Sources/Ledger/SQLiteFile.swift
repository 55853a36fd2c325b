import GRDB
import GRDBSQLite
import Glibc
import Paths

/// Opens SQLite's files by their bytes; everything in this module that opens one does so here.
///
/// SQLite and GRDB take a name as text. SQLite asks its VFS once, when it opens a file, for the full path, and makes
/// all other names (-wal, -shm, -journal) of the bytes that it is given then. So its VFS is the usual one but for this
/// question. `file:` URIs would do for what is opened, if SQLite was built to take them, but GRDB does not ask it to;
/// and a name by way of /proc would not be the one that other processes see in messages.
enum SQLiteFile {
    static func open(_ path: String, _ configuration: Configuration = Configuration()) throws -> DatabaseQueue {
        takeNames
        // A name that begins with "file:" is a URI for some builds of SQLite.
        return try DatabaseQueue(
            path: FilePath.isAbsolute(path) ? path : "./" + path, configuration: configuration)
    }

    /// Once a process, before the first file is opened.
    private static let takeNames: Void = {
        guard let usual = sqlite3_vfs_find(nil) else { return }
        let own = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        own.initialize(to: usual.pointee)
        own.pointee.pNext = nil
        own.pointee.zName = UnsafePointer(strdup("stocktake"))
        usualFullPathname = usual.pointee.xFullPathname
        own.pointee.xFullPathname = { vfs, name, size, result in
            guard let full = usualFullPathname, let name else { return SQLITE_CANTOPEN }
            // What is not UTF-8 is bytes already.
            guard let text = String(validatingCString: name) else { return full(vfs, name, size, result) }
            return FilePath.withCString(text) { full(vfs, $0, size, result) }
        }
        // Kept as long as the process lives. The default, as GRDB names none.
        sqlite3_vfs_register(own, 1)
    }()

    /// Of the usual VFS. Set once, before the one that asks for it is registered.
    nonisolated(unsafe) private static var usualFullPathname:
        (
            @convention(c) (
                UnsafeMutablePointer<sqlite3_vfs>?, UnsafePointer<CChar>?, Int32, UnsafeMutablePointer<CChar>?
            ) -> Int32
        )?
}
