import ArgumentParser
import Testing

@testable import stocktake

@Suite struct LedgerURLTests {
    @Test(
        "finds the file of a URL or a path",
        arguments: [
            ("/var/lib/a.sqlite", "/var/lib/a.sqlite"), ("sqlite:///var/lib/a.sqlite", "/var/lib/a.sqlite"),
            ("SQLite:///var/lib/a.sqlite", "/var/lib/a.sqlite"), ("sqlite:///a%20b%25c%3Fd", "/a b%c?d"),
            // A path may have a colon, and what looks like an escape.
            ("/tmp/a%20b", "/tmp/a%20b"), ("/tmp/1://a", "/tmp/1://a"),
        ])
    func files(text: String, path: String) throws {
        #expect(try LedgerURL.location(text).description.contains(path))
    }

    @Test(
        "refuses a URL that it would have to guess at, without quoting what may be a password",
        arguments: [
            ("postgresql://user:secret@host/db", "begins with postgresql://"),
            ("sqlite://relative/a.sqlite", "names no absolute path"), ("sqlite:///", "names no absolute path"),
            ("sqlite://", "names no absolute path"), ("sqlite:///a?mode=ro", "has a parameter"),
            ("sqlite:///a#b", "has a parameter"), ("sqlite:///a%2", "an invalid % escape"),
            ("sqlite:///a%00b", "an invalid % escape"),
        ])
    func refused(text: String, reason: String) throws {
        let error = #expect(throws: ValidationError.self) { try LedgerURL.location(text) }
        let message = try #require(error).message
        #expect(message.contains(reason) && !message.contains("secret"), "\(message)")
    }
}
