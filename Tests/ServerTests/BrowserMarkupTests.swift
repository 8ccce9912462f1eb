import Conversations
import Dialogue
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

/// Texts that become code on a page that takes them for markup; each sets `window.hacked` if it ever runs.
enum HostileText {
    static let all = [
        "<img src=x onerror='window.hacked=1'><b>bold</b>",
        "<script>window.hacked=2</script>",
        "\"><svg onload=window.hacked=3><a href='javascript:window.hacked=4'>x</a>",
        "</textarea></li></ol><iframe srcdoc=\"<script>parent.hacked=5</script>\"></iframe>",
        "' onmouseover='window.hacked=6' autofocus onfocus='window.hacked=7",
        "<style>*{display:none}</style><base href='https://example.org/'>",
        "javascript:window.hacked=8//${window.hacked=9}{{constructor.constructor('window.hacked=10')()}}",
        "<details open ontoggle=window.hacked=11><math><mi//xlink:href='data:x,<script>window.hacked=12</script>'>",
    ]
    static var joined: String { all.joined(separator: "\n") }
    static let addresses = [
        "javascript:window.hacked=20", "JaVaScRiPt:window.hacked=21",
        " data:text/html,<script>window.hacked=22</script>",
        "vbscript:x", "//example.org\" onclick=\"window.hacked=23",
        "https://example.org/\"><script>window.hacked=24</script>",
    ]
}

extension BrowserTests {
    /// Nothing ran, and nothing that was written became an element.
    private func expectNoMarkup(_ web: WebDriver, _ place: String) async throws {
        #expect(try await web.value("return window.hacked ?? null") == .null, "\(place)")
        let foreign = try await web.count(
            """
            main b:not(.block b), main img, main script, main style, main iframe, main base, main details, main math,
            dialog img, dialog script, dialog style, dialog iframe, dialog details, dialog math, [onerror], [onload],
            [onclick], [onmouseover], [onfocus], [ontoggle], svg[onload], a[href^='javascript'], a[href^='data']
            """)
        let consent = try await web.count("#consentForm b")
        #expect(foreign - consent == 0, "\(place)")
    }

    @Test(
        "what people, models, memories and documents write never becomes markup or code",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(3)))
    func hostileTexts() async throws {
        let bench = try Workbench(ScriptedGenerator { turns, _ in [turns.last?.text ?? ""] })
        try await browse(bench) { web in
            // A person types them one by one, the model says them back.
            for text in HostileText.all {
                try await web.say(text)
                #expect(try await web.text(".turn.human:nth-last-child(2) .bubble") == text)
                #expect(try await web.text(".turn.bot:last-child .bubble") == text)
            }
            try await expectNoMarkup(web, "talk")
            // As a correction and a remark, shown and put back into the form.
            try await web.click(".turn:last-child .thumb.down")
            try await web.type(HostileText.all[3], into: ".panel textarea[name=correction]")
            try await web.type(HostileText.all[4], into: ".panel textarea[name=comment]")
            try await web.click(".panel [type=submit]")
            try await web.wait(until: "document.querySelector('.mine-said')")
            #expect(try await web.text(".mine-said") == HostileText.all[4] + "\nBetter: " + HostileText.all[3])
            try await expectNoMarkup(web, "remarks")
            try await web.click(".edit")
            #expect(
                try await web.value("return document.querySelector('.panel textarea[name=correction]').value")
                    == .string(HostileText.all[3]))
            try await web.click(".panel .quiet")
            try await web.reload()
            try await web.wait(until: "document.querySelector('.mine-said')")
            try await expectNoMarkup(web, "after a reload")

            // In everything that is recorded of a reply, and as addresses of documents.
            await bench.host.become(.ready(FixedAnswerer(reply: Self.hostile)))
            try await web.say("hi")
            try await web.click(".turn:last-child .look")
            try await web.wait(until: "document.querySelector('.inside')")
            try await expectNoMarkup(web, "inside")
            #expect(
                try await web.value(
                    "return [...document.querySelectorAll('.inside a')].map((a) => new URL(a.href).protocol)")
                    == .array([.string("https:")]))
            #expect(try await web.count(".citations li") == HostileText.addresses.count)
            // Where a press would run it, if anything could.
            try await web.value(
                "document.querySelectorAll('.inside *').forEach((part) => part.matches('a') || part.click())")
            try await expectNoMarkup(web, "inside, pressed")

            // As memories, and as the name of a conversation.
            let talk = try await stored(bench, web)
            for (place, text) in HostileText.all.enumerated() {
                try await bench.store.save(
                    Memory(
                        id: "m\(place)", userID: talk.userID, owner: .person, text: text, conversationID: talk.id,
                        messageID: talk.messages[0].id, createdAt: bench.clock.now))
            }
            var plan = TurnPlan.plain
            plan.memory = .decide
            await bench.host.become(
                .ready(
                    DialogueAgent(
                        writers: ModuleWriters(ChatWriter(bench.generator)), plan: plan,
                        memories: MemoryBank(store: bench.store, encoder: nil))))
            try await web.click("#openMemory")
            try await web.wait(until: "document.querySelectorAll('.memory').length === \(HostileText.all.count)")
            #expect(try await web.text(".memory blockquote") == HostileText.all[0])
            try await expectNoMarkup(web, "memories")
            try await web.press("\u{E00C}")
            try await web.click("#openEarlier")
            try await web.wait(until: "document.querySelector('.talk')")
            #expect(try await web.text(".talk b") == HostileText.all[0])
            #expect(try await web.count(".talk b *") == 0)
            #expect(try await web.value("return window.hacked ?? null") == .null)
        }
    }

    /// Hostile in every field.
    private static var hostile: Message {
        let text = HostileText.joined
        return Message(
            id: "", sender: .bot, text: text, generation: GenerationRecord(model: text),
            search: SearchRecord(
                decision: text, query: text, knowledge: text,
                documents: HostileText.addresses.map { SearchDocument(title: text, content: text, url: $0) },
                provider: text, failure: text),
            memory: MemoryRecord(memories: [text], decision: text, knowledge: text),
            modules: [ModuleRecord(module: text, model: text, output: text, failure: text)],
            safety: [SafetyDecision(layer: text, isUnsafe: false, category: text, score: 0.5)])
    }
}
