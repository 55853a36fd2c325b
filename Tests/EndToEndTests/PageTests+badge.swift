import Foundation
import TestSupport
import Testing

// The badge, in a page of another shop.
extension PageTests {
    @Test("The badge in another shop's page follows the availability, if its origin is allowed")
    func badge() async throws {
        let shop = try await Shop()
        try await withForeignPage { page, browser in
            let open = try await shop.startServer("--http-allow-origin", page.origin)
            try page.show(badgesFrom: open.address)
            try await browser.navigate(to: page.origin + "/")
            try await waitUntil("\(Self.badge("cube")).text === '10 of 10 left'", browser)
            try await waitUntil("\(Self.badge("green")).text === '2 of 2 left'", browser)
            try await waitUntil("\(Self.badge("panel")).text === 'Available'", browser)
            try await waitUntil("\(Self.badge("lamp")).text === 'noch 7 von 7'", browser)
            // The server does not know this product; the other badges are not affected.
            #expect(try await browser.evaluate("\(Self.badge("nothing")).state === 'unknown'"))
            #expect(try await browser.evaluate("!document.getElementById('nothing').checkVisibility()"))
            // The shop's own colour, by custom property.
            #expect(
                try await browser.evaluate(
                    "getComputedStyle(document.getElementById('cube').shadowRoot.querySelector('span')).backgroundColor"
                )
                    == "rgb(1, 2, 3)")

            try await shop.publish([
                Order("one", ("CUBE", "RED", 8)).message, Order("two", ("OTHER", "GREEN", 2)).message,
            ])
            try await waitUntil("\(Self.badge("cube")).text === '2 of 10 left'", browser)
            #expect(try await browser.evaluate("\(Self.badge("cube")).state === 'low'"))
            try await waitUntil("\(Self.badge("green")).text === 'Sold out'", browser)
            #expect(try await browser.evaluate("\(Self.badge("green")).state === 'sold-out'"))

            // Another product, and a badge that was not there at first.
            let _: Bool = try await browser.evaluate(
                """
                (() => {
                    document.getElementById("cube").setAttribute("product", "PANEL");
                    document.body.insertAdjacentHTML("beforeend", '<stocktake-badge id="late" product="CUBE">');
                    return true;
                })()
                """)
            try await waitUntil("\(Self.badge("cube")).text === 'Available'", browser)
            try await waitUntil("\(Self.badge("late")).text === '2 of 10 left'", browser)

            // The last text stays, marked as stale, after the server is gone.
            try await open.process.kill()
            try await waitUntil("\(Self.badge("late")).state === 'stale'", browser)
            #expect(try await browser.evaluate("\(Self.badge("late")).text === '2 of 10 left'"))
        }
    }

    @Test("The badge in another shop's page shows nothing unless its origin is allowed")
    func badgeElsewhere() async throws {
        let shop = try await Shop()
        let open = try await shop.startServer()
        try await withForeignPage { page, browser in
            try page.show(badgesFrom: open.address)
            try await browser.navigate(to: page.origin + "/")
            var log = ""
            try await eventually(within: Self.patience, "the browser to refuse") {
                log += try await browser.log().joined(separator: "\n")
                return log.contains("v1/events") && log.contains("CORS policy")
            }
            #expect(try await browser.evaluate("\(Self.badge("cube")).state === 'unknown'"))
            #expect(try await browser.evaluate("\(Self.badge("cube")).text === ''"))
        }
    }

    @Test("The badge never goes back to an older state, except to that of a recreated store")
    func badgeOrder() async throws {
        let shop = try await Shop()
        let open = try await shop.startServer("--http-allow-origin", "*")
        try await withForeignPage { page, browser in
            // Events as they may arrive over two connections, and from another process.
            try page.folder.write(
                """
                <!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
                <script>
                window.EventSource = class extends EventTarget {
                    readyState = 1;
                    constructor() { super(); window.source = this; }
                    close() {}
                };
                window.tell = (epoch, seq, left) => window.source.dispatchEvent(new MessageEvent("availability", {
                    data: JSON.stringify({ epoch, seq, products: [{ id: "CUBE", is_active: true, max_quantity: 1000,
                        available_quantity: left, is_available: true, variants: [] }] }) }));
                </script>
                <stocktake-badge id="cube" product="CUBE"></stocktake-badge>
                <script src="\(open.address)/badge.js"></script></html>
                """, to: "index.html")
            try await browser.navigate(to: page.origin + "/")
            try await waitUntil("window.source !== undefined", browser)
            func shown(after event: String) async throws -> String {
                try await browser.evaluate("(\(event), \(Self.badge("cube")).text)")
            }
            #expect(try await shown(after: "tell(2, 5, 300)") == "300 of 1,000 left")
            #expect(try await shown(after: "tell(2, 4, 400)") == "300 of 1,000 left")
            #expect(try await shown(after: "tell(1, 9, 500)") == "300 of 1,000 left")
            #expect(try await shown(after: "tell(2, 6, 200)") == "200 of 1,000 left")
            let again = "source.dispatchEvent(new Event('open'))"
            #expect(try await shown(after: "\(again), tell(2, 5, 300)") == "200 of 1,000 left")
            #expect(try await shown(after: "\(again), tell(1, 0, 1000)") == "1,000 of 1,000 left")
        }
    }

    /// A badge in the foreign page, as `{state, text}`.
    private static func badge(_ id: String) -> String {
        "(b => ({ state: b.getAttribute('state'), text: b.shadowRoot?.textContent }))(document.getElementById('\(id)'))"
    }

    /// A page of another origin, served from a folder.
    private struct ForeignPage {
        let origin: String
        let folder: TemporaryFolder

        func show(badgesFrom server: String) throws {
            // The script is included twice, as happens when different people make parts of a page.
            try folder.write(
                """
                <!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
                <style>#cube { --stocktake-badge-background: rgb(1, 2, 3) }</style>
                <stocktake-badge id="cube" product="CUBE"></stocktake-badge>
                <stocktake-badge id="green" product="OTHER" variant="GREEN"></stocktake-badge>
                <stocktake-badge id="panel" product="PANEL"></stocktake-badge>
                <stocktake-badge id="lamp" product="LAMP" text-left="noch {left} von {cap}"></stocktake-badge>
                <stocktake-badge id="nothing" product="NOTHING"></stocktake-badge>
                <script src="\(server)/badge.js" async></script><script src="\(server)/badge.js" async></script></html>
                """, to: "index.html")
        }
    }

    private func withForeignPage(_ body: (ForeignPage, Browser) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let server = try ChildProcess(
            "python3", ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder.path, "0"])
        let line = try await server.waitForLine(containing: "http://")
        let origin = try #require(line.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+/)).output
        try await withBrowser { browser in
            try await body(ForeignPage(origin: String(origin), folder: folder), browser)
        }
        try await server.kill()
    }
}
