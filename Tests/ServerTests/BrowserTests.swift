import Conversations
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: the page in a real browser", .serialized)
struct BrowserTests {
    static let missing: Comment =
        "skipped: needs a headless Chromium; install it with: apt-get install -y chromium chromium-driver"

    /// The conversation that the page shows.
    func stored(_ bench: Workbench, _ web: WebDriver) async throws -> Conversation {
        try #require(try await bench.store.conversation(id: try await web.conversationID()))
    }

    /// Runs a browser on a running server, on the page.
    func browse(
        _ bench: Workbench, consent: String? = "improve", _ body: @escaping @Sendable (WebDriver) async throws -> Void
    ) async throws {
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))/"
            try await WebDriver.run { web in
                try await web.open(address)
                try await web.wait(until: "!document.querySelector('#welcome').hidden")
                if let consent { try await web.begin(consent) }
                try await body(web)
            }
        }
    }

    @Test(
        "consent, a streamed reply, thumb down with reason and correction, reload: all is still there and stored",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func walk() async throws {
        let generator = ScriptedGenerator(modelID: "loam-small-v2", pause: .milliseconds(80)) { turns, _ in
            let said = turns.last?.text ?? ""
            return said.contains("<") ? [said] : ["I like ", "walking ", "by the river, ", "and you?"]
        }
        let bench = try Workbench(generator)
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))/"
            try await WebDriver.run { web in
                try await web.open(address)
                try await web.wait(until: "!document.querySelector('#welcome').hidden")
                try await web.screenshot("welcome")
                #expect(try await web.text("#model") == "loam-small-v2")
                try await web.click("#consentForm input[value=release]")
                try await web.click("#begin")
                try await web.wait(until: "document.activeElement.id === 'text'")

                // Typed and sent with the keyboard; the reply comes piece by piece.
                try await web.type("What do you like?\u{E007}", into: "#text")
                try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('I like')")
                #expect(try await web.accessibleName("#send") == "Stop")
                try await web.screenshot("writing")
                try await web.wait(until: "document.querySelector('.turn.bot:not(.writing)')")
                #expect(try await web.text(".turn.bot .bubble") == "I like walking by the river, and you?")
                try await web.wait(until: "document.querySelector('#announce').textContent.includes('by the river')")
                #expect(try await stored(bench, web).consent == .release)

                try await web.click(".thumb.down")
                try await web.wait(until: "document.querySelector('.panel')")
                try await web.screenshot("panel")
                #expect(try await web.value("return document.activeElement.value") == .string("off_topic"))
                try await web.press(" ")
                try await web.click(".chip input[value=repeating]")
                try await web.type("I love rivers. Do you swim?", into: ".panel textarea[name=correction]")
                try await web.type("too long", into: ".panel textarea[name=comment]")
                try await web.click(".panel button[type=submit]")
                try await web.wait(until: "!document.querySelector('.panel')")
                #expect(try await web.text(".said").hasPrefix("Thank you. Counted for loam-small-v2."))

                let feedback = try #require(try await stored(bench, web).messages[1].feedback.first)
                #expect(feedback.rating == .dislike)
                #expect(feedback.reasons == [.offTopic, .repeating])
                #expect(feedback.correction == "I love rivers. Do you swim?")
                #expect(feedback.comment == "too long")

                try await web.reload()
                try await web.wait(until: "document.querySelector('.thumb.down[aria-pressed=true]')")
                #expect(try await web.text(".turn.human .bubble") == "What do you like?")
                #expect(try await web.text(".mine-said").contains("Better: I love rivers. Do you swim?"))
                try await web.screenshot("after-reload")

                // What somebody wrote stays text, from both sides.
                let payload = "<img src=x onerror='window.hacked=1'><b>bold</b>"
                try await web.type(payload + "\u{E007}", into: "#text")
                try await web.wait(until: "document.querySelectorAll('.turn.bot:not(.writing)').length === 2")
                #expect(try await web.text(".turn:last-child .bubble") == payload)
                #expect(
                    try await web.value("return document.querySelectorAll('#log img, #log b').length") == .number(0))
                #expect(try await web.value("return window.hacked ?? null") == .null)

                // Edited, then taken back.
                try await web.click(".edit")
                try await web.click(".chip input[value=off_topic]")
                try await web.click(".panel button[type=submit]")
                try await web.wait(until: "!document.querySelector('.panel')")
                #expect(try await stored(bench, web).messages[1].feedback.map(\.reasons) == [[.repeating]])
                try await web.click(".takeback")
                try await web.wait(until: "!document.querySelector('[aria-pressed=true]')")
                #expect(try await stored(bench, web).messages[1].feedback.isEmpty)

                try await web.prefer(scheme: "dark")
                try await web.resize(width: 390, height: 844)
                try await web.screenshot("dark-phone")
                try await web.click(".turn:last-child .thumb.down")
                try await web.wait(until: "document.querySelector('.panel')")
                try await web.screenshot("dark-phone-panel")
                #expect(
                    try await web.value("return document.documentElement.scrollWidth <= innerWidth") == .bool(true))

                // Delete everything.
                let id = try await stored(bench, web).id
                try await web.click("#openData")
                try await web.screenshot("data")
                try await web.click("#delete")
                try await web.click("#deleteYes")
                try await web.wait(until: "!document.querySelector('#welcome').hidden")
                #expect(try await bench.store.conversation(id: id) == nil)
            }
        }
    }

    @Test(
        "stop, try again, consent withdrawn, a model that wakes up: the page keeps its word",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func sideways() async throws {
        let generator = ScriptedGenerator(pause: .milliseconds(60)) { turns, _ in
            turns.last?.text == "long" ? (0..<100).map { "\($0) " } : ["ok"]
        }
        let bench = try Workbench(generator, isLoading: true)
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))/"
            try await WebDriver.run { web in
                try await web.open(address)
                try await web.wait(until: "document.querySelector('#model').classList.contains('waiting')")
                // No choice is made for anybody.
                try await web.click("#begin")
                #expect(try await web.value("return document.querySelector('#composer').hidden") == .bool(true))
                try await web.click("#consentForm input[value=improve]")
                try await web.click("#begin")
                try await web.wait(until: "!document.querySelector('#composer').hidden")
                #expect(try await web.value("return document.querySelector('#send').disabled") == .bool(true))
                await bench.host.become(bench.ready)
                try await web.wait(until: "!document.querySelector('#send').disabled")

                try await web.type("long\u{E007}", into: "#text")
                try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('0 1')")
                try await web.click("#send")
                try await web.wait(until: "document.querySelector('.unanswered')")
                #expect(try await web.value("return document.querySelector('.writing')") == .null)
                try await web.reload()
                try await web.wait(until: "document.querySelector('.unanswered')")
                let id = try await stored(bench, web).id
                #expect(try await bench.store.conversation(id: id)?.messages.map(\.text) == ["long"])

                try await web.click("#openData")
                try await web.click("#consentChange input[value=none]")
                try await web.wait(until: "document.querySelector('#consentDone').textContent.startsWith('Changed')")
                #expect(try await bench.store.conversation(id: id) == nil)
                try await web.press("\u{E00C}")
                try await web.wait(until: "!document.querySelector('#data').open")

                try await web.type("short\u{E007}", into: "#text")
                try await web.wait(until: "document.querySelector('.turn.bot:not(.writing)')")
                try await web.click(".thumb.up")
                try await web.wait(
                    until: "document.querySelector('.said').textContent.startsWith('Noted for this chat')")
                try await web.click("#again")
                try await web.wait(until: "!document.querySelector('.turn')")
            }
        }
    }
}
