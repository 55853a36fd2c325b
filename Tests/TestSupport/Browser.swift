import Foundation

/// A real headless Chromium for one test, controlled through chromedriver by the W3C WebDriver standard.
///
/// Both processes are in one group and end with `close()`, with the last reference, or with the tests. The profile is a
/// temporary folder, so browsers share no state.
package final class Browser: Sendable {
    /// The size at which a page is shown, and its colour scheme.
    package struct Appearance: Sendable {
        package var width: Int
        package var height: Int
        package var isDark: Bool
        package var isPhone: Bool

        package static let desktop = Appearance(width: 1_440, height: 900, isDark: false, isPhone: false)
        package static let phone = Appearance(width: 390, height: 844, isDark: false, isPhone: true)

        package var dark: Appearance {
            var dark = self
            dark.isDark = true
            return dark
        }
    }

    /// Starting a browser on a busy machine takes seconds; all other operations are fast.
    private static let startLimit = Duration.seconds(40)
    private static let requestLimit = Duration.seconds(40)

    private let folder: TemporaryFolder
    private let driver: ChildProcess
    private let session: Address

    private init(folder: TemporaryFolder, driver: ChildProcess, session: Address) {
        self.folder = folder
        self.driver = driver
        self.session = session
    }

    /// The number of attempts to start: another process may take the free port before chromedriver uses it.
    private static let attempts = 3

    /// Starts chromedriver on a free port of the loopback interface, and a browser.
    package static func start() async throws -> Browser {
        for _ in 1..<attempts {
            do { return try await startOnce() } catch is TestSupportError {}
        }
        return try await startOnce()
    }

    private static func startOnce() async throws -> Browser {
        let folder = try TemporaryFolder()
        let driver: ChildProcess
        do {
            driver = try ChildProcess("chromedriver", ["--port=0"], environment: ["TMPDIR": folder.path])
        } catch {
            throw TestSupportError("\(error). Install Chromium and its driver: scripts/setup.")
        }
        let line = try await driver.waitForLine(containing: "successfully on port", within: startLimit)
        let digits = line.reversed().drop { !$0.isNumber }.prefix { $0.isNumber }.reversed()
        guard let port = Int(String(digits)) else { throw TestSupportError("chromedriver reported no port: \(line)") }
        let sessions = Address(port: port, path: "/session")
        let arguments = [
            "--headless=new", "--hide-scrollbars", "--no-first-run", "--user-data-dir=\(folder.path(of: "profile"))",
            // For containers: root without user namespaces, a small /dev/shm, no graphics card. Safe, because only our
            // own pages are loaded.
            "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
        ]
        let capabilities = NewSession(
            capabilities: .init(
                alwaysMatch: .init(options: .init(args: arguments), logging: .init(browser: "ALL"))))
        let made: Session = try await request("POST", sessions, capabilities)
        return Browser(folder: folder, driver: driver, session: sessions.at(made.sessionId))
    }

    /// Ends the browser and its driver.
    package func close() async {
        let _: Ignored? = try? await Self.request("DELETE", session, nil as Nothing?)
        _ = try? await driver.stop()
    }

    // MARK: Pages

    /// Loads a page, and returns when it has loaded.
    package func navigate(to url: String) async throws {
        try await send("url", ["url": url])
    }

    /// Evaluates a JavaScript expression, and awaits it if it is a promise.
    /// - Throws: `TestSupportError` with the browser's message, also if the value does not have this type.
    package func evaluate<Value: Decodable & Sendable>(
        _ expression: String, as type: Value.Type = Value.self
    ) async throws -> Value {
        let script = Script(script: "return (\(expression));", args: [])
        return try await Self.request("POST", session.at("execute/sync"), script)
    }

    /// Returns the text of the first element that matches a CSS selector; nil if there is none.
    package func text(of selector: String) async throws -> String? {
        try await evaluate("document.querySelector(\(Self.quoted(selector)))?.textContent ?? null")
    }

    /// Returns whether the first element that matches a CSS selector exists and is visible.
    package func shows(_ selector: String) async throws -> Bool {
        try await evaluate("document.querySelector(\(Self.quoted(selector)))?.checkVisibility() ?? false")
    }

    /// Presses a key, as on a keyboard (`\u{E004}` is Tab).
    package func press(_ key: String) async throws {
        let presses = ["keyDown", "keyUp"].map { KeyActions.Press(type: $0, value: key) }
        let keyboard = KeyActions(actions: [.init(type: "key", id: "keyboard", actions: presses)])
        let _: Ignored? = try await Self.request("POST", session.at("actions"), keyboard)
    }

    /// Returns the page's console output and the browser's warnings and errors since the last call.
    package func log() async throws -> [String] {
        let entries: [LogEntry] = try await Self.request(
            "POST", session.at("se/log"), ["type": "browser"])
        return entries.map { "\($0.level): \($0.message)" }
    }

    // MARK: Appearance

    package func appear(_ appearance: Appearance) async throws {
        try await develop(
            "Emulation.setDeviceMetricsOverride",
            Metrics(
                width: appearance.width, height: appearance.height, deviceScaleFactor: 1, mobile: appearance.isPhone))
        let scheme = Media.Feature(name: "prefers-color-scheme", value: appearance.isDark ? "dark" : "light")
        try await develop("Emulation.setEmulatedMedia", Media(features: [scheme]))
    }

    /// Writes the visible page as a PNG file.
    package func screenshot(to path: String) async throws {
        let encoded: String = try await Self.request(
            "GET", session.at("screenshot"), nil as Nothing?)
        guard let image = Data(base64Encoded: encoded) else { throw TestSupportError("the screenshot is not an image") }
        try image.write(to: URL(fileURLWithPath: path))
    }

    // MARK: WebDriver

    private struct NewSession: Encodable {
        struct Options: Encodable { var args: [String] }
        struct Logging: Encodable { var browser: String }
        struct Wanted: Encodable {
            var options: Options
            var logging: Logging

            enum CodingKeys: String, CodingKey {
                case options = "goog:chromeOptions"
                case logging = "goog:loggingPrefs"
            }
        }
        struct Capabilities: Encodable { var alwaysMatch: Wanted }
        var capabilities: Capabilities
    }

    private struct Session: Decodable { var sessionId: String }
    private struct Answer<Value: Decodable>: Decodable { var value: Value }
    private struct Failure: Decodable { var message: String }
    private struct LogEntry: Decodable {
        var level: String
        var message: String
    }
    private struct Script: Encodable {
        var script: String
        var args: [String]
    }
    private struct KeyActions: Encodable {
        struct Press: Encodable {
            var type: String
            var value: String
        }
        struct Device: Encodable {
            var type: String
            var id: String
            var actions: [Press]
        }
        var actions: [Device]
    }
    private struct Metrics: Encodable {
        var width: Int
        var height: Int
        var deviceScaleFactor: Int
        var mobile: Bool
    }
    private struct Media: Encodable {
        struct Feature: Encodable {
            var name: String
            var value: String
        }
        var features: [Feature]
    }
    private struct DevToolsCommand<Parameters: Encodable>: Encodable {
        var cmd: String
        var params: Parameters
    }
    private struct Nothing: Encodable {}
    /// A value that is ignored: any JSON is accepted.
    private struct Ignored: Decodable { init(from decoder: any Decoder) {} }

    private func send(_ command: String, _ body: some Encodable) async throws {
        let _: Ignored? = try await Self.request("POST", session.at(command), body)
    }

    /// Sends a command of Chromium's DevTools protocol, for features that WebDriver does not have.
    private func develop(_ command: String, _ parameters: some Encodable) async throws {
        try await send("goog/cdp/execute", DevToolsCommand(cmd: command, params: parameters))
    }

    private static func quoted(_ text: String) throws -> String {
        String(decoding: try JSONEncoder().encode([text]).dropFirst().dropLast(), as: UTF8.self)
    }

    private struct Address: Sendable {
        var port: Int
        var path: String

        func at(_ name: String) -> Address { Address(port: port, path: "\(path)/\(name)") }
    }

    private static func request<Value: Decodable>(
        _ method: String, _ address: Address, _ body: (some Encodable)?
    ) async throws -> Value {
        let text = try body.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) } ?? ""
        // Not URLSession, which on Linux rejects chromedriver's headers: they have no space after the colon.
        let answer = try await HTTPAddress(host: "127.0.0.1", port: address.port).request(
            method, address.path, ["Content-Type": "application/json; charset=utf-8"], body: text, within: requestLimit)
        let data = Data(answer.body)
        guard answer.status == 200 else {
            let failure = try? JSONDecoder().decode(Answer<Failure>.self, from: data)
            throw TestSupportError("the browser refuses \(address.path): \(failure?.value.message ?? "no reason")")
        }
        do {
            return try JSONDecoder().decode(Answer<Value>.self, from: data).value
        } catch {
            throw TestSupportError(
                "the browser returned \(String(decoding: data.prefix(400), as: UTF8.self)): not a \(Value.self)")
        }
    }
}

/// Runs `body` with a browser that is closed afterwards.
package func withBrowser<R>(
    isolation: isolated (any Actor)? = #isolation, _ body: (Browser) async throws -> R
) async throws -> R {
    let browser = try await Browser.start()
    do {
        let result = try await body(browser)
        await browser.close()
        return result
    } catch {
        await browser.close()
        throw error
    }
}
