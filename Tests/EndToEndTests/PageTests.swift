import Foundation
import TestSupport
import Testing

/// The pages, in a real browser.
@Suite(.serialized) struct PageTests {
    typealias Order = SequentialModel.Order

    /// A browser has many processes, which are slow on a busy machine.
    static let patience = Duration.seconds(30)

    private func open(_ browser: Browser, _ address: String) async throws {
        try await browser.navigate(to: address)
        try await eventually(within: Self.patience, "live figures") {
            try await browser.evaluate("document.body.dataset.live === 'live'")
        }
        // A reload would remove this property.
        let _: Bool = try await browser.evaluate("window.isSamePage = true")
    }

    private func waitForText(_ text: String, of selector: String, _ browser: Browser) async throws {
        var found: String?
        do {
            try await eventually(within: Self.patience, "“\(text)” in \(selector)") {
                found = try await browser.text(of: selector)
                return found == text
            }
        } catch let error as TestSupportError {
            throw TestSupportError("\(error); there stands “\(found ?? "nothing")”")
        }
    }

    func waitUntil(_ expression: String, _ browser: Browser) async throws {
        try await eventually(within: Self.patience, expression) { try await browser.evaluate(expression) }
    }

    /// The filled share of a bar as rendered, from 0 to 1.
    private func share(ofBarIn selector: String) -> String {
        """
        (() => {
            const bar = document.querySelector("\(selector) .bar").getBoundingClientRect();
            const fill = document.querySelector("\(selector) .fill").getBoundingClientRect();
            return Math.max(0, fill.right - bar.left) / bar.width;
        })()
        """
    }

    // MARK: - The drop

    @Test("A sale moves the bars without a reload, and only the availability is transferred")
    func sale() async throws {
        let shop = try await Shop()
        let open = try await shop.startServer()
        try await withBrowser { browser in
            try await self.open(browser, open.address)
            #expect(try await browser.text(of: "h1") == "Cube")
            #expect(try await browser.text(of: ".hero .count .left") == "10")
            #expect(try await browser.text(of: ".hero .count .of") == "of 10 left")
            #expect(try await browser.text(of: "[data-product=PANEL] .badges .available") == "Available")
            try await waitUntil("Math.abs(\(share(ofBarIn: "[data-variant=BLACK]")) - 1) < 0.01", browser)

            try await shop.publish([Order("private-1", ("CUBE", "BLACK", 2)).message])
            try await waitForText("8", of: ".hero .count .left", browser)
            try await waitForText("2 sold", of: ".hero .sold", browser)
            try await waitForText("3 of 5 left", of: "[data-variant=BLACK] .words", browser)
            #expect(try await browser.evaluate("document.querySelector('.hero .field').ariaValueNow") == "8")
            #expect(try await browser.evaluate("document.title") == "8 of 10 left – Cube")
            try await waitUntil("Math.abs(\(share(ofBarIn: "[data-variant=BLACK]")) - 0.6) < 0.01", browser)

            try await shop.publish([
                Order("private-2", ("CUBE", "BLACK", 3)).message, Order("private-3", ("LAMP", nil, 7)).message,
                Order("private-4", ("LAMP", nil, 1)).message,
            ])
            try await waitForText("Sold out", of: "[data-variant=BLACK] .words", browser)
            try await waitForText("Sold out", of: "[data-product=LAMP] .badges .sold-out", browser)
            try await waitUntil("\(share(ofBarIn: "[data-product=LAMP]")) < 0.01", browser)
            // Announced to screen readers, once.
            try await waitUntil("/Lamp: Sold out/.test(document.getElementById('announcer').textContent)", browser)

            #expect(try await browser.evaluate("window.isSamePage === true"))
            let page: String = try await browser.evaluate("document.documentElement.outerHTML")
            #expect(!page.contains("private-"))
            try await expectNothingForeign(browser)
            #expect(try await browser.log() == [])
        }
    }

    @Test("While Redis is unavailable the page says so, and it recovers by itself")
    func redisAway() async throws {
        let shop = try await Shop(redis: Shop.durable)
        let open = try await shop.startServer()
        try await withBrowser { browser in
            try await self.open(browser, open.address)
            #expect(try await !browser.shows("#notice"))
            await shop.redis.kill()
            try await waitUntil("document.body.dataset.live === 'paused'", browser)
            #expect(try await browser.shows("#notice"))
            let notice = try await browser.text(of: "#notice") ?? ""
            #expect(notice.hasPrefix("Live figures are paused. Last known at "), "\(notice)")
            #expect(try await browser.text(of: ".hero .count .left") == "10")

            try await shop.redis.restart()
            try await waitUntil("document.body.dataset.live === 'live'", browser)
            #expect(try await !browser.shows("#notice"))
            try await shop.publish([Order("after", ("CUBE", "RED", 4)).message])
            try await waitForText("6", of: ".hero .count .left", browser)
            #expect(try await browser.evaluate("window.isSamePage === true"))
        }
    }

    @Test("While the server is unavailable the page says so, and it recovers by itself")
    func serverAway() async throws {
        let shop = try await Shop()
        let first = try await shop.startServer()
        try await withBrowser { browser in
            try await self.open(browser, first.address)
            try await first.process.kill()
            try await waitUntil("document.body.dataset.live === 'paused'", browser)
            #expect(try await browser.shows("#notice"))
            try await shop.publish([Order("meanwhile", ("CUBE", "WHITE", 1)).message])
            let second = try await shop.startServer("--http-port", "\(first.shop.port)")
            try await waitUntil("document.body.dataset.live === 'live'", browser)
            try await waitForText("9", of: ".hero .count .left", browser)
            #expect(try await !browser.shows("#notice"))
            #expect(try await browser.evaluate("window.isSamePage === true"))
            #expect(try await second.process.stop() == .exited(0))
        }
    }

    @Test("The time shown on the page never goes back, although its server restarts")
    func time() async throws {
        let shop = try await Shop()
        let first = try await shop.startServer()
        try await withBrowser { browser in
            try await self.open(browser, first.address)
            let _: Bool = try await browser.evaluate(
                """
                (() => {
                    const clock = document.getElementById("clock");
                    window.times = [clock.textContent];
                    new MutationObserver(() => window.times.push(clock.textContent))
                        .observe(clock, { childList: true, characterData: true, subtree: true });
                    return true;
                })()
                """)
            // A heartbeat has shown a later time than the list's.
            try await waitUntil("window.times.length > 1", browser)
            try await first.process.kill()
            try await waitUntil("document.body.dataset.live === 'paused'", browser)
            let second = try await shop.startServer("--http-port", "\(first.shop.port)")
            let asked: Int = try await browser.evaluate(Self.listsAskedFor)
            try await waitUntil("document.body.dataset.live === 'live'", browser)
            // The counters were installed again: the page requests its list again.
            try await waitUntil("\(Self.listsAskedFor) > \(asked)", browser)
            let shown: Int = try await browser.evaluate("window.times.length")
            try await waitUntil("window.times.length > \(shown)", browser)
            let times: [String] = try await browser.evaluate("window.times")
            #expect(times == times.sorted())
            #expect(try await second.process.stop() == .exited(0))
        }
    }

    private static let listsAskedFor =
        "performance.getEntriesByType('resource').filter(e => e.name.includes('v1/products')).length"

    @Test("A new catalogue appears without a reload, and leaves the rest of the page unchanged")
    func catalogue() async throws {
        let shop = try await Shop()
        let open = try await shop.startServer()
        try await withBrowser { browser in
            try await self.open(browser, open.address)
            let _: Bool = try await browser.evaluate(
                "(window.panel = document.querySelector('[data-product=PANEL]')) !== null")
            let changed = Shop.catalogue
                .replacingOccurrences(of: #""max_quantity": 7}"#, with: #""max_quantity": 9}"#)
                .replacingOccurrences(of: #""name": "Other""#, with: #""name": "Another""#)
                .replacingOccurrences(
                    of: #"{"id": "PANEL""#,
                    with: #"{"id": "NEW", "name": "New <b>one</b>", "category": "kit", "dev_status": 5, "#
                        + #""base_price": 1, "has_variants": false, "max_quantity": 3}, {"id": "PANEL""#)
            try await shop.succeed("sync", try shop.folder.write(changed, to: "changed.json"))
            // As text: a catalogue's content is not markup.
            try await waitForText("New <b>one</b>", of: "[data-product=NEW] h3", browser)
            try await waitForText("9", of: "[data-product=LAMP] .left", browser)
            try await waitForText("Another", of: "[data-product=OTHER] h3", browser)
            #expect(try await browser.evaluate("window.panel.isConnected"))
            try await shop.publish([Order("new", ("NEW", nil, 1)).message])
            try await waitForText("2", of: "[data-product=NEW] .left", browser)

            try await shop.succeed("sync", try shop.folder.write(Shop.catalogue, to: "products.json"))
            try await waitUntil("document.querySelector('[data-product=NEW]') === null", browser)
            try await waitForText("7", of: "[data-product=LAMP] .left", browser)
            #expect(try await browser.evaluate("window.isSamePage === true"))
        }
    }

    // MARK: - The operator's page

    @Test("The operator sees orders, dead letters and refunds, and problems in words")
    func operatorPage() async throws {
        let shop = try await Shop(redis: Shop.durable)
        let open = try await shop.startServer()
        try await withBrowser { browser in
            try await self.open(browser, try await open.operatorPage)
            try await waitForText("Active", of: "#consumer .value", browser)
            try await waitForText("All is well", of: "#summary", browser)
            try await shop.publish([
                Order("seen-1", ("CUBE", "BLACK", 2)).message, Order("seen-2", ("LAMP", nil, 8)).message,
                Order("seen-3", ("NOTHING", nil, 1)).message,
            ])
            try await waitForText("2", of: "#orders .value", browser)
            try await waitForText("2", of: "#refunds_due .value", browser)
            try await waitUntil(
                "document.querySelector('#refunds_due .note').textContent.startsWith("
                    + "'900 of other or no currency in minor units. Refund them: stocktake refunds list')", browser)
            try await waitForText("1", of: "#dead_letters .value", browser)
            try await waitUntil(
                "document.querySelector('#dead_letters .note').textContent.includes('dead-letters list --status open')",
                browser)
            // As many as are listed below.
            try await waitForText("2 things need attention", of: "#summary", browser)
            #expect(try await browser.evaluate("document.querySelectorAll('#problems li').length === 2"))
            for (order, outcome) in [("seen-1", "accepted"), ("seen-2", "refused"), ("seen-3", "dead letter")] {
                try await waitUntil(
                    "[...document.querySelectorAll('#outcomes tr')].some(row => row.textContent.includes('\(order)')"
                        + " && row.textContent.includes('\(outcome)'))", browser)
            }
            try await waitUntil("document.getElementById('spark-line').points.numberOfItems >= 2", browser)
            // The note covers no more time than the page has been open.
            let note = try await browser.text(of: "#rate-note") ?? ""
            let covered = try #require(note.firstMatch(of: /maximum in the last (\d+) seconds?:\s/)?.1, "\(note)")
            #expect(
                try await browser.evaluate("\(covered) <= Math.ceil(performance.now() / 1000) + 1"), "\(note)")
            #expect(try await browser.text(of: "#zone") != "")
            try await browser.appear(.phone)
            #expect(
                try await browser.evaluate(
                    "(s => s.scrollWidth <= s.clientWidth)(document.querySelector('.scroll'))"))
            try await browser.appear(.desktop)
            try await expectNothingForeign(browser)
            #expect(try await browser.log() == [])

            await shop.redis.kill()
            try await waitForText("Not healthy", of: "#redis .value", browser)
            try await shop.redis.restart()
            try await waitForText("Healthy", of: "#redis .value", browser)

            try await open.process.kill()
            try await waitUntil("document.body.dataset.live === 'lost'", browser)
            #expect(try await browser.text(of: "#notice")?.hasPrefix("The connection to the server is lost.") == true)
            #expect(
                try await browser.evaluate(
                    "[...document.querySelectorAll('.tile, .verdict')].every(n => n.dataset.level === 'unknown')"))
            #expect(
                try await browser.evaluate(
                    "[...document.querySelectorAll('.tile .mark')].every(n => n.textContent === 'Unknown')"))
        }
    }

    // MARK: - Accessibility

    @Test("Both pages are accessible: roles, names, contrast, narrow screens, a keyboard")
    func accessibility() async throws {
        let shop = try await Shop()
        let open = try await shop.startServer()
        try await shop.publish([
            Order("a", ("CUBE", "BLACK", 5)).message, Order("b", ("CUBE", "WHITE", 3)).message,
            Order("c", ("LAMP", nil, 8)).message, Order("d", ("NOTHING", nil, 1)).message,
        ])
        try await shop.waitForOrders(3)
        try await withBrowser { browser in
            for address in [open.address, try await open.operatorPage] {
                for appearance in [Browser.Appearance.desktop, .desktop.dark, .phone, .phone.dark] {
                    try await browser.appear(appearance)
                    try await self.open(browser, address)
                    let found: [String] = try await browser.evaluate(Self.complaints)
                    #expect(found == [], "\(address), \(appearance)")
                }
                // The first Tab reaches the link past the header.
                try await browser.press("\u{E004}")
                #expect(try await browser.evaluate("document.activeElement.className") == "skip")
                #expect(
                    try await browser.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'"))
            }
        }
    }

    /// Expects that everything loaded came from the page's own server.
    private func expectNothingForeign(_ browser: Browser) async throws {
        let foreign: [String] = try await browser.evaluate(
            """
            performance.getEntriesByType("resource").map(entry => entry.name)
                .filter(name => !name.startsWith("data:") && new URL(name).origin !== location.origin)
            """)
        #expect(foreign == [])
    }

    /// A page's faults for users with a screen reader, a keyboard, low vision or a narrow screen.
    private static let complaints = #"""
        (() => {
            const all = selector => [...document.querySelectorAll(selector)], found = [];
            const seen = node => node.checkVisibility({ visibilityProperty: true });
            if (!document.documentElement.lang) found.push("no language");
            if (!document.title) found.push("no title");
            if (all("main").length !== 1) found.push("not one main");
            if (all("h1").filter(seen).length !== 1) found.push("not one h1");
            let level = 0;
            for (const heading of all("h1, h2, h3, h4, h5, h6").filter(seen)) {
                const own = Number(heading.tagName[1]);
                if (own > level + 1) found.push(`h${level} is followed by h${own}: ${heading.textContent}`);
                level = own;
            }
            for (const image of all("img")) if (!image.alt) found.push(`no alt: ${image.src}`);
            for (const node of all("button, a, svg[role=img], [role=region]").filter(seen)) {
                const name = node.ariaLabel || node.textContent.trim() || node.getAttribute("aria-labelledby");
                if (!name) found.push(`no name: ${node.outerHTML}`);
            }
            for (const node of all("[aria-labelledby]")) {
                if (!document.getElementById(node.getAttribute("aria-labelledby"))) found.push(`named by nobody: ${node.outerHTML}`);
            }
            const ids = all("[id]").map(node => node.id);
            if (new Set(ids).size !== ids.length) found.push("an id twice");
            for (const meter of all("[role=meter]").filter(seen)) {
                const now = Number(meter.ariaValueNow), most = Number(meter.ariaValueMax);
                if (!meter.ariaLabel || !meter.ariaValueText || !(now >= 0 && now <= most)) found.push(`meter: ${meter.outerHTML}`);
            }
            if (document.documentElement.scrollWidth > innerWidth) found.push(`wider than the screen: ${document.documentElement.scrollWidth}`);

            // Contrast as defined by WCAG 2: 4.5, for large text 3.
            const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            const paint = (under, colour) => {
                canvas.fillStyle = `rgb(${under})`; canvas.fillRect(0, 0, 1, 1);
                canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
            };
            const under = node => paint(node.parentElement ? under(node.parentElement) : [255, 255, 255], getComputedStyle(node).backgroundColor);
            const light = colour => colour.map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
                .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const node = walker.currentNode.parentElement;
                if (!walker.currentNode.data.trim() || !seen(node) || node.closest(".unseen, noscript")) continue;
                const style = getComputedStyle(node), back = under(node), fore = paint(back, style.color);
                const [high, low] = [light(back), light(fore)].sort((a, b) => b - a), contrast = (high + .05) / (low + .05);
                const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
                if (contrast < (isLarge ? 3 : 4.5)) found.push(`contrast ${contrast.toFixed(2)}: ${walker.currentNode.data}`);
            }
            return found;
        })()
        """#
}
