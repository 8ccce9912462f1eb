import Conversations
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Synchronization
import Testing

@testable import Server

extension BrowserTests {
    @Test(
        "a model that fails, a reload in mid-reply, a lost connection: never left typing, and always a way on",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func interruptions() async throws {
        let calls = CallCount()
        let generator = ScriptedGenerator(pause: .milliseconds(40)) { turns, _ in
            if turns.last?.text == "break", calls.next() == 1 { throw ScriptedGenerator.Failure() }
            return turns.last?.text == "long" ? (0..<200).map { "\($0) " } : ["fine"]
        }
        let bench = try Workbench(generator)
        try await browse(bench) { web in
            try await web.type("break\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelector('.unanswered')")
            #expect(try await web.text("#alert") == "Something went wrong on our side.")
            #expect(try await web.count(".writing") == 0)
            try await web.screenshots("interrupted")
            try await web.click(".unanswered .again")
            try await web.wait(until: "document.querySelector('.turn.bot:not(.writing)')")
            #expect(try await web.holds("document.querySelector('#alert').hidden"))

            // Reloaded in mid-reply.
            try await web.type("long\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('0 1')")
            try await web.reload()
            try await web.wait(until: "document.querySelector('.unanswered')")
            #expect(try await web.count(".writing") == 0)

            // Words that could not be sent are still in the box.
            try await web.goOffline(true)
            try await web.type("short\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelector('#text').value === 'short'")
            try await web.goOffline(false)
            try await web.wait(until: "document.querySelector('#alert').hidden")
            try await web.press("\u{E007}")
            try await web.wait(until: "document.querySelector('.turn.bot:last-child:not(.writing)')")
            #expect(try await stored(bench, web).messages.filter { $0.text == "short" }.count == 1)
        }
    }

    @Test(
        "what is typed outlives replies, refusals and a small screen; what is left behind does not come back",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func typed() async throws {
        let generator = ScriptedGenerator(pause: .milliseconds(50)) { turns, _ in
            turns.last?.text == "long" ? (0..<100).map { "\($0) " } : ["fine"]
        }
        let bench = try Workbench(generator)
        try await browse(bench) { web in
            // Better words that were begun are there when the talk goes on, and can be saved then.
            try await web.say("hello")
            try await web.click(".thumb.down")
            try await web.type("Good morning!", into: ".panel textarea[name=correction]")
            try await web.type("long\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('0 1')")
            try await web.click("#send")
            try await web.wait(until: "document.querySelector('.unanswered')")
            #expect(
                try await web.value("return document.querySelector('.panel textarea[name=correction]')?.value ?? null")
                    == .string("Good morning!"))
            // On a phone, where the box gives way to the form: why it could not be saved is seen all the same.
            try await web.resize(width: 390, height: 844)
            #expect(try await web.holds("!document.querySelector('#composer').checkVisibility()"))
            try await web.goOffline(true)
            try await web.value("document.querySelector('.panel').requestSubmit()")
            try await web.wait(until: "document.querySelector('#alert').checkVisibility()")
            #expect(try await web.text("#alert") == "Loam cannot be reached just now. Please try again.")
            try await web.goOffline(false)
            try await web.value("document.querySelector('.panel').requestSubmit()")
            try await web.wait(until: "!document.querySelector('.panel')")
            #expect(try await stored(bench, web).messages[1].feedback.first?.correction == "Good morning!")
            try await web.resetSize()

            // What could not be sent comes back in front of what was begun meanwhile.
            try await web.value(
                """
                const real = window.fetch;
                window.fetch = () => {
                  window.fetch = real;
                  return new Promise((_, fail) => setTimeout(() => fail(new TypeError('cut')), 1500));
                };
                """)
            try await web.type("one\u{E007}", into: "#text")
            try await web.type("two", into: "#text")
            try await web.wait(until: "document.querySelector('#text').value === 'one\\ntwo'")
            try await web.value("document.querySelector('#text').value = ''")

            // Left in mid-reply; what the server says of it comes late.
            try await web.click(".unanswered .again")
            try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('0 1')")
            let left = try await web.conversationID()
            try await web.value(
                """
                const real = window.fetch;
                window.fetch = async (path, options) => {
                  if (path.startsWith('/api/conversations/')) {
                    await new Promise((go) => setTimeout(go, 600));
                    window.late = true;
                  }
                  return real(path, options);
                };
                """)
            try await web.click("#again")
            try await web.wait(
                until: "window.late && document.querySelector('#log').getAttribute('aria-busy') === 'false'")
            #expect(try await web.conversationID() != left)
            #expect(try await web.count(".turn") == 0)
        }
    }

    @Test(
        "consent: a choice that did not reach the server is not shown, and one made on another page holds on this one",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func consentElsewhere() async throws {
        let bench = try Workbench()
        try await browse(bench) { web in
            try await web.say("hello")
            try await web.click("#openData")
            try await web.wait(until: "document.querySelector('.figures')")
            try await web.goOffline(true)
            try await web.click("#consentChange input[value=none]")
            try await web.wait(
                until: "document.querySelector('#consentDone').textContent.includes('cannot be reached')")
            #expect(try await web.holds("document.querySelector('#consentChange input[value=improve]').checked"))
            try await web.goOffline(false)
            try await web.press("\u{E00C}")
            try await web.wait(until: "!document.querySelector('#data').open")

            let send = { (method: String, path: String, body: String) in
                """
                return fetch('\(path)', {
                  method: '\(method)', headers: { 'Content-Type': 'application/json' }, body: \(body),
                }).then((answer) => answer.status);
                """
            }
            let withdrawn = send("PUT", "/api/me/consent", #"'{"consent":"none"}'"#)
            #expect(try await web.value(withdrawn) == .number(200))
            try await web.click("#again")
            try await web.wait(until: "!document.querySelector('.turn')")
            #expect(try await web.text("#kept") == "Nothing of this is kept.")
            #expect(try await bench.store.conversation(id: try await web.conversationID()) == nil)
            #expect(try await web.value(send("PUT", "/api/me/consent", #"'{"consent":"improve"}'"#)) == .number(200))
            try await web.reload()
            try await web.wait(until: "document.querySelector('#kept').textContent.startsWith('Kept to')")
            // Deleted on another page: asked anew, and nothing begins by itself.
            #expect(try await web.value(send("DELETE", "/api/me", "undefined")) == .number(204))
            try await web.type("hello\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelector('#alert').textContent.includes('is gone')")
            #expect(try await web.value("return document.querySelector('#text').value") == .string("hello"))
            try await web.click("#again")
            try await web.wait(until: "!document.querySelector('#welcome').hidden")
        }
    }

    /// Serves on a port while the body runs, and then breaks off as a killed process does: no reply is finished.
    private func serve(
        _ server: WebServer, on port: Int = 0, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let (ports, running) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { running.finish() }
                try await server.application(hostname: "127.0.0.1", port: port) { running.yield($0) }.run()
            }
            for await port in ports {
                try await body(port)
                break
            }
            group.cancelAll()
            // It was told to end; how it says so is its own affair.
            while let ended = await group.nextResult() { _ = ended }
        }
    }

    @Test(
        "a server that dies in mid-reply under an open page: what is kept goes on, what is not is said to be gone",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)), arguments: ["improve", "none"])
    func restart(consent: String) async throws {
        let generator = ScriptedGenerator(pause: .milliseconds(50)) { turns, _ in
            turns.last?.text == "long" ? (0..<100).map { "\($0) " } : ["fine"]
        }
        let bench = try Workbench(generator)
        try await WebDriver.run { web in
            let port = Mutex(0)
            try await serve(bench.server) { place in
                port.withLock { $0 = place }
                try await web.open("http://127.0.0.1:\(place)/")
                try await web.wait(until: "!document.querySelector('#welcome').hidden")
                try await web.begin(consent)
                try await web.say("hello")
                try await web.type("long\u{E007}", into: "#text")
                try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('0 1')")
            }
            try await web.wait(until: "!document.querySelector('#alert').hidden")
            #expect(try await web.count(".writing") == 0)
            #expect(try await web.text("#alert").contains("cannot be reached"))
            // Nothing that is said meanwhile is lost.
            try await web.type("later\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelector('#text').value === 'later'")
            let again = try WebServer(host: bench.host, store: bench.store, logger: bench.server.logger)
            try await serve(again, on: port.withLock { $0 }) { _ in
                if consent == "improve" {
                    try await web.wait(until: "document.querySelector('#alert').hidden")
                    try await web.click(".unanswered .again")
                    try await web.wait(until: "document.querySelector('.writing .bubble')?.innerText.startsWith('0 1')")
                    try await web.click("#send")
                    try await web.wait(until: "document.querySelector('.unanswered')")
                    try await web.click("#text")
                    try await web.press("\u{E007}")
                    try await web.wait(until: "document.querySelector('.turn.bot:last-child:not(.writing)')")
                    #expect(
                        try await stored(bench, web).messages.map(\.text)
                            == ["hello", "fine", "long", "later", "fine"])
                } else {
                    try await web.wait(until: "document.querySelector('#alert').textContent.includes('was not kept')")
                    try await web.click("#again")
                    try await web.wait(until: "!document.querySelector('.turn')")
                    try await web.value("document.querySelector('#text').value = ''")
                    try await web.say("hello")
                }
            }
        }
    }
}
