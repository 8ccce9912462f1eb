import Conversations
import Foundation

/// A headless Chromium, driven over the W3C WebDriver protocol.
final class WebDriver: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static func program(_ names: [String]) -> URL? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        for name in names {
            for folder in folders {
                let file = "\(folder)/\(name)"
                if FileManager.default.isExecutableFile(atPath: file) { return URL(filePath: file) }
            }
        }
        return nil
    }

    static var isInstalled: Bool {
        program(["chromedriver"]) != nil && program(["chromium", "google-chrome"]) != nil
    }

    private let process: Process
    private let session: String

    private init(process: Process, session: String) {
        self.process = process
        self.session = session
    }

    /// Starts a browser, hands it over and ends it afterwards.
    static func run(_ body: (WebDriver) async throws -> Void) async throws {
        guard let driver = program(["chromedriver"]), let browser = program(["chromium", "google-chrome"]) else {
            throw Failure(description: "chromedriver is not installed")
        }
        let process = Process()
        process.executableURL = driver
        process.arguments = ["--port=0"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Not SIGTERM: the server under test has this process ignore it, and children inherit that.
        defer { kill(process.processIdentifier, SIGKILL) }
        let base = "http://127.0.0.1:\(try await Curl.apart { try port(from: output.fileHandleForReading) })"
        let options: [String: JSONValue] = [
            "binary": .string(browser.path),
            "args": .array(
                [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                    "--no-first-run", "--disable-extensions", "--window-size=900,1000",
                ].map(JSONValue.string)),
        ]
        let capabilities: JSONValue = .object([
            "capabilities": .object(["alwaysMatch": .object(["goog:chromeOptions": .object(options)])])
        ])
        let answer = try await send("POST", base + "/session", capabilities)
        guard case .object(let fields) = answer, case .string(let id)? = fields["sessionId"] else {
            throw Failure(description: "no session: \(answer)")
        }
        let web = WebDriver(process: process, session: base + "/session/" + id)
        do {
            try await body(web)
            try await web.end()
        } catch {
            try? await web.end()
            throw error
        }
    }

    private func end() async throws { _ = try await Self.send("DELETE", session, nil) }

    /// The driver picks a free port and says which.
    private static func port(from handle: FileHandle) throws -> Int {
        var text = ""
        while !text.contains("successfully on port") || !text.hasSuffix("\n") {
            let data = handle.availableData
            guard !data.isEmpty else { throw Failure(description: "chromedriver ended: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        guard let match = text.firstMatch(of: /successfully on port (\d+)/), let port = Int(match.1) else {
            throw Failure(description: "chromedriver names no port: \(text)")
        }
        return port
    }

    private static func send(_ method: String, _ url: String, _ body: JSONValue?) async throws -> JSONValue {
        var arguments = ["-X", method, "--max-time", "60", url]
        var input: Data?
        if let body {
            arguments += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
            input = try JSONEncoder().encode(body)
        }
        let data = try await Curl.run(arguments, input: input)
        guard case .object(let fields)? = try? JSONDecoder().decode(JSONValue.self, from: data),
            let value = fields["value"]
        else { throw Failure(description: "\(method) \(url): \(String(decoding: data, as: UTF8.self))") }
        if case .object(let answer) = value, case .string(let fault)? = answer["error"] {
            throw Failure(description: "\(method) \(url): \(fault) \(answer["message"] ?? .null)")
        }
        return value
    }

    // MARK: What a person does

    func open(_ url: String) async throws {
        _ = try await Self.send("POST", session + "/url", .object(["url": .string(url)]))
    }

    func reload() async throws { _ = try await Self.send("POST", session + "/refresh", .object([:])) }

    /// Shows the page on a screen of this size in CSS pixels, a phone's for instance.
    func resize(width: Int, height: Int) async throws {
        try await browser(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)), "deviceScaleFactor": .number(2),
                "mobile": .bool(true),
            ])
    }

    /// Back to the window's own size.
    func resetSize() async throws { try await browser("Emulation.clearDeviceMetricsOverride", [:]) }

    /// Lets the page believe that the person prefers dark colours, or light ones.
    func prefer(scheme: String) async throws {
        try await browser(
            "Emulation.setEmulatedMedia",
            [
                "features": .array([.object(["name": .string("prefers-color-scheme"), "value": .string(scheme)])])
            ])
    }

    private func browser(_ command: String, _ parameters: [String: JSONValue]) async throws {
        _ = try await Self.send(
            "POST", session + "/goog/cdp/execute",
            .object(["cmd": .string(command), "params": .object(parameters)]))
    }

    private func element(_ selector: String) async throws -> String {
        let value = try await Self.send(
            "POST", session + "/element",
            .object(["using": .string("css selector"), "value": .string(selector)]))
        guard case .object(let fields) = value, case .string(let id)? = fields.values.first else {
            throw Failure(description: "no element \(selector)")
        }
        return session + "/element/" + id
    }

    /// Clicks where a person would: fails when something lies on top.
    func click(_ selector: String) async throws {
        _ = try await Self.send("POST", try await element(selector) + "/click", .object([:]))
    }

    func type(_ text: String, into selector: String) async throws {
        _ = try await Self.send("POST", try await element(selector) + "/value", .object(["text": .string(text)]))
    }

    /// Presses keys on whatever has the focus.
    func press(_ keys: String...) async throws {
        let actions = keys.flatMap { key in
            ["keyDown", "keyUp"].map { JSONValue.object(["type": .string($0), "value": .string(key)]) }
        }
        _ = try await Self.send(
            "POST", session + "/actions",
            .object([
                "actions": .array([
                    .object(["type": .string("key"), "id": .string("keys"), "actions": .array(actions)])
                ])
            ]))
    }

    // MARK: What is there to see

    /// Runs a script's body; gives what it returns.
    @discardableResult
    func value(_ script: String) async throws -> JSONValue {
        try await Self.send(
            "POST", session + "/execute/sync", .object(["script": .string(script), "args": .array([])]))
    }

    func text(_ selector: String) async throws -> String {
        guard
            case .string(let text) = try await value(
                "return document.querySelector(\(quoted(selector)))?.innerText ?? ''")
        else { return "" }
        return text
    }

    /// Waits until a script's expression is true, for at most ten seconds.
    func wait(until expression: String) async throws {
        for _ in 0..<200 {
            if try await value("return Boolean(\(expression))") == .bool(true) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        let page = try await value("return document.body.innerText")
        throw Failure(description: "never came true: \(expression)\npage: \(page)")
    }

    func accessibleName(_ selector: String) async throws -> String {
        guard case .string(let name) = try await Self.send("GET", try await element(selector) + "/computedlabel", nil)
        else { return "" }
        return name
    }

    /// Folder of pictures, by `LOAM_SCREENSHOTS`.
    private static var pictures: URL? {
        ProcessInfo.processInfo.environment["LOAM_SCREENSHOTS"].map { URL(filePath: $0) }
    }

    /// Saves a picture of the window where `LOAM_SCREENSHOTS` names a folder.
    func screenshot(_ name: String) async throws {
        guard let folder = Self.pictures,
            case .string(let text) = try await Self.send("GET", session + "/screenshot", nil),
            let data = Data(base64Encoded: text)
        else { return }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try data.write(to: folder.appending(path: name + ".png"))
    }

    /// Saves pictures of what is there now in light and dark, on a large screen and on a phone.
    func screenshots(_ name: String) async throws {
        guard Self.pictures != nil else { return }
        for scheme in ["light", "dark"] {
            try await prefer(scheme: scheme)
            try await screenshot("\(name)-\(scheme)")
            try await resize(width: 360, height: 740)
            try await screenshot("\(name)-\(scheme)-phone")
            try await resetSize()
        }
        try await prefer(scheme: "light")
    }

    // MARK: This page

    /// Answers the question of consent and begins.
    func begin(_ consent: String) async throws {
        try await click("#consentForm input[value=\(consent)]")
        try await click("#begin")
        try await wait(until: "document.activeElement.id === 'text'")
    }

    /// Says something and waits until the reply is there.
    func say(_ text: String) async throws {
        try await type(text + "\u{E007}", into: "#text")
        try await wait(until: "document.querySelector('.turn.human:nth-last-child(2) + .turn.bot:not(.writing)')")
        try await wait(until: "document.querySelector('#log').getAttribute('aria-busy') === 'false'")
    }

    /// The conversation that is shown; its address names it.
    func conversationID() async throws -> String {
        guard case .string(let id) = try await value("return location.hash.slice(1)"), !id.isEmpty else {
            throw Failure(description: "the page has no conversation")
        }
        return id
    }

    /// Whether a script's expression is true now.
    func holds(_ expression: String) async throws -> Bool {
        try await value("return Boolean(\(expression))") == .bool(true)
    }

    /// How many elements a selector finds.
    func count(_ selector: String) async throws -> Int {
        guard case .number(let count) = try await value("return document.querySelectorAll(\(quoted(selector))).length")
        else { return 0 }
        return Int(count)
    }

    /// Cuts the browser off from the network, or joins it again.
    func goOffline(_ isOffline: Bool) async throws {
        try await browser("Network.enable", [:])
        try await browser(
            "Network.emulateNetworkConditions",
            [
                "offline": .bool(isOffline), "latency": .number(0), "downloadThroughput": .number(-1),
                "uploadThroughput": .number(-1),
            ])
    }

    private func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "''"
    }
}
