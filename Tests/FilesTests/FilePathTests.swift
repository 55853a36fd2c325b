import Glibc
import Files
import TestSupport
import Testing

@Suite("The text of a path") struct FilePathTests {
    @Test(
        "represents the bytes of the name unambiguously, and is the name itself if that is UTF-8",
        arguments: [
            "plain.sqlite", "Bestände.sqlite", "", "a/b c", "\u{10FFE9}", "e\u{301}", "/\u{301}x",
        ].map { Array($0.utf8) } + [
            [0xE9], Array("Best".utf8) + [0xE4] + Array("nde".utf8), [0xC3], [0xC3, 0x28], [0xF0, 0x9F, 0x98],
            [0xED, 0xA0, 0x80], [0xFF, 0xFE, 0x80], [0xC0, 0xAF], Array("\u{10FFE9}".utf8) + [0xE9],
        ])
    func roundTrip(name: [UInt8]) {
        let text = FilePath.text(name)
        #expect(FilePath.bytes(text) == name)
        #expect(
            FilePath.withCString(text) { $0.withMemoryRebound(to: UInt8.self, capacity: 1) { strlen($0) } }
                == name.count)
        #expect(
            (name.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { FilePath.text($0.baseAddress!) }
                == text)
        let plain = String(validating: name, as: UTF8.self)
        if let plain, FilePath.isUTF8(plain) { #expect(text == plain) } else { #expect(!FilePath.isUTF8(text)) }
    }

    @Test(
        "names a folder",
        arguments: [
            ("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/c", "a/b"), ("/a/\u{301}b", "/a"), ("./x", "."), ("", "."),
        ])
    func folders(path: String, folder: String) {
        #expect(FilePath.folder(of: path) == folder)
        #expect(FilePath.isAbsolute(path) == path.utf8.starts(with: "/".utf8))
    }

    @Test("leads to the file of these bytes with every call, and is returned by the system unchanged")
    func calls() throws {
        let folder = try TemporaryFolder()
        let odd = folder.path + "/" + FilePath.text([0x4C, 0xE9])
        #expect(FilePath.makeFolder(odd, mode: 0o700) == 0)
        let (file, second) = (odd + "/" + FilePath.text([0xE4]), odd + "/second")
        #expect(FilePath.status(of: file) == nil && FilePath.resolved(file) == nil && errno == ENOENT)
        let descriptor = FilePath.open(file, O_CREAT | O_RDWR, mode: 0o600)
        #expect(descriptor >= 0 && fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        close(descriptor)
        // By system calls only, without our code.
        let bytes = Array(folder.path.utf8) + [0x2F, 0x4C, 0xE9, 0x2F, 0xE4, 0]
        #expect(bytes.map { CChar(bitPattern: $0) }.withUnsafeBufferPointer { access($0.baseAddress!, F_OK) } == 0)
        #expect(FilePath.status(of: file)?.st_mode == S_IFREG | 0o600)
        #expect(FilePath.statusOfLink(file) != nil && FilePath.fileSystem(at: file) != nil)
        #expect(FilePath.resolved(file)?.hasSuffix(FilePath.text([0x4C, 0xE9, 0x2F, 0xE4])) == true)
        #expect(FilePath.link(file, to: second) == 0 && FilePath.status(of: second)?.st_nlink == 2)
        #expect(FilePath.rename(second, to: file + "x") == 0 && FilePath.access(file + "x", R_OK) == 0)
        FilePath.unlink(file)
        FilePath.unlink(file + "x")
        #expect(FilePath.statusOfLink(file) == nil && FilePath.statusOfLink(file + "x") == nil)
    }

    @Test("makes a socket's address from its bytes, as many as the system accepts")
    func sockets() throws {
        let longest = "/" + FilePath.text([UInt8](repeating: 0xE9, count: 106))
        var address = try #require(FilePath.socketAddress(longest))
        withUnsafeBytes(of: &address.sun_path) { #expect(Array($0) == FilePath.bytes(longest) + [0]) }
        #expect(FilePath.socketAddress(longest + "x") == nil)
    }
}
