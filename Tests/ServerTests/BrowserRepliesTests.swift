import Conversations
import Dialogue
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

extension BrowserTests {
    @Test(
        "another reply, stepping between replies, a thumb on each; all of it is there after a reload",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func regenerating() async throws {
        let calls = CallCount()
        let generator = ScriptedGenerator(modelID: "loam-small-v2", pause: .milliseconds(20)) { _, _ in
            switch calls.next() {
            case 1: ["Rivers, ", "mostly."]
            case 2: ["I like to walk ", "by the river when it is quiet."]
            default: ["Books, and ", "long trains."]
            }
        }
        let bench = try Workbench(generator)
        try await browse(bench) { web in
            try await web.say("What do you like?")
            try await web.click(".thumb.down")
            try await web.click(".panel .quiet")
            try await web.click(".regenerate")
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '2/2'")
            #expect(try await web.text(".turn.bot .bubble") == "I like to walk by the river when it is quiet.")
            #expect(try await web.holds("document.activeElement.classList.contains('regenerate')"))
            try await web.click(".thumb.up")
            try await web.wait(until: "document.querySelector('.thumb.up[aria-pressed=true]')")
            try await web.click(".regenerate")
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '3/3'")
            #expect(try await web.count("[aria-pressed=true]") == 0)
            try await web.screenshots("regenerated")

            // Back to the second, by keyboard; its own vote is there, also after a reload.
            try await web.click(".previous")
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '2/3'")
            #expect(try await web.holds("document.querySelector('.thumb.up[aria-pressed=true]')"))
            #expect(try await web.accessibleName(".stepper") == "Reply 2 of 3")
            try await web.press("\u{E007}")
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '1/3'")
            #expect(try await web.holds("document.querySelector('.thumb.down[aria-pressed=true]')"))
            #expect(
                try await web.holds("document.activeElement.classList.contains('next')"), "the end gives the focus on")
            try await web.press("\u{E007}")
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '2/3'")
            try await web.reload()
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '2/3'")
            #expect(try await web.holds("document.querySelector('.thumb.up[aria-pressed=true]')"))

            try await web.say("Which river?")
            let kept = try await stored(bench, web)
            #expect(kept.messages[4].parentID == kept.messages[2].id)
            #expect(kept.replyPairs.contains { $0.evidence == .votes && $0.chosen.hasPrefix("I like to walk") })
            // Further up replies are looked at and no more.
            #expect(try await web.count(".regenerate") == 1)
            try await web.click(".turn.bot .next")
            try await web.wait(until: "document.querySelector('.stepper .place')?.textContent === '3/3'")
            #expect(try await stored(bench, web).mainPath == kept.mainPath)
        }
    }

    @Test(
        "two replies side by side: one is picked, or both are bad; nothing is said before that",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func choosing() async throws {
        let calls = CallCount()
        let generator = ScriptedGenerator { _, _ in
            calls.next().isMultiple(of: 2)
                ? ["Trains. I could watch them all day, and the people who run to catch them."] : ["Rivers, mostly."]
        }
        let bench = try Workbench(generator, compareShare: 1)
        try await browse(bench) { web in
            try await web.type("What do you like?\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelectorAll('.pair .option').length === 2")
            #expect(try await web.holds("document.querySelector('#send').disabled"))
            try await web.screenshots("choice")
            try await web.reload()
            try await web.wait(until: "document.querySelectorAll('.pair .option').length === 2")
            let right = try await web.text(".option:last-child .bubble")
            #expect(try await web.accessibleName(".option:last-child .pick") == "The second reply is better")
            try await web.click(".option:last-child .pick")
            try await web.wait(until: "document.querySelector('.stepper')")
            #expect(try await web.text(".turn.bot .bubble") == right)
            #expect(try await web.text(".turn.bot .fine") == "You liked this one better.")
            #expect(try await stored(bench, web).replyPairs.map(\.chosen) == [right])
            try await web.screenshot("chosen")

            try await web.type("And else?\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelectorAll('.pair .option').length === 2")
            try await web.click(".both-bad")
            try await web.wait(until: "!document.querySelector('.pair')")
            #expect(try await web.text(".turn.bot:last-child .fine") == "You found both replies bad.")
            #expect(
                try await stored(bench, web).messages.suffix(2).allSatisfy { $0.feedback.first?.rating == .dislike })
            #expect(try await stored(bench, web).replyPairs.count == 1)

            // Chosen on another page of the same person, where the talk went on: this one shows that, and is not stuck.
            try await web.type("Still here?\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelectorAll('.pair .option').length === 2")
            try await web.value(
                """
                const reply = document.querySelector('.option .bubble').id.slice('option-'.length);
                const talk = location.hash.slice(1);
                const send = (method, path, body) => fetch(path, {
                  method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
                }).then((answer) => answer.text());
                return send('PUT', `/api/messages/${reply}/choice`, { better: true })
                  .then(() => send('POST', `/api/conversations/${talk}/messages`, { text: 'Elsewhere.' })).then(() => true);
                """)
            try await web.click(".option:last-child .pick")
            try await web.wait(until: "document.querySelectorAll('.turn.human').length === 4")
            #expect(try await web.text("#alert") == "The conversation has gone on from there.")
            try await web.click(".option:last-child .pick")
            try await web.wait(until: "!document.querySelector('.pair')")
            #expect(try await web.holds("!document.querySelector('#send').disabled"))
        }
    }

    @Test(
        "looking inside a reply; a safety reply is marked, can be disputed, and says thanks",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func insideAndSafety() async throws {
        let bench = try Workbench()
        await bench.host.become(.ready(FixedAnswerer(reply: Self.recorded)))
        try await browse(bench) { web in
            try await web.say("When do you open?")
            #expect(try await web.holds("document.querySelector('.look').getAttribute('aria-expanded') === 'false'"))
            try await web.click(".look")
            try await web.wait(until: "document.querySelector('.inside')")
            let inside = try await web.text(".inside")
            for words in [
                "loam-small-v2", "temperature 0.7", "seed 5", "opening hours", "The shop opens at nine.",
                "I like jazz.",
                "Classifier", "0.01", "sdm",
            ] { #expect(inside.contains(words), "\(words)") }
            #expect(
                try await web.value(
                    "return [...document.querySelectorAll('.citations a')].map((a) => [a.href, a.rel, a.target])")
                    == .array([
                        .array([
                            .string("https://example.org/hours"), .string("noopener noreferrer nofollow"),
                            .string("_blank"),
                        ])
                    ]))
            #expect(
                try await web.holds(
                    "document.querySelector('#' + CSS.escape(document.querySelector('.look').getAttribute('aria-controls')))"
                ))
            try await web.screenshots("inside")
            try await web.click(".look")
            try await web.wait(until: "!document.querySelector('.inside')")

            await bench.host.become(
                .ready(
                    FixedAnswerer(
                        reply: Message(
                            id: "", sender: .bot, text: "I would rather talk about something else.",
                            isSafetyControlled: true, interactionFailure: "unsafe_Human"),
                        personDecisions: [SafetyDecision(layer: "classifier", isUnsafe: true, score: 0.91)])))
            try await web.say("something bad")
            try await web.wait(until: "document.querySelector('.turn.human:nth-last-child(2) .tag')")
            #expect(try await web.text(".turn.safety .tag") == "Safety reply")
            #expect(try await web.count(".turn.safety .thumb, .turn.safety .regenerate") == 0)
            try await web.screenshots("safety")
            try await web.click(".fine-by-me")
            try await web.wait(until: "document.querySelector('.turn.safety .said')")
            #expect(try await web.text(".turn.safety .said").hasPrefix("Thank you. You told us that this was fine."))
            try await web.wait(until: "document.querySelector('#announce').textContent.startsWith('Thank you')")
            #expect(try await stored(bench, web).messages[3].feedback.map(\.reasons) == [[.disagreesSensitive]])
            try await web.reload()
            try await web.wait(until: "document.querySelector('.fine-by-me[aria-pressed=true]')")
            #expect(try await web.text(".turn.human:nth-last-child(2) .tag") == "Stopped by the safety check")
            try await web.click(".takeback")
            try await web.wait(until: "!document.querySelector('.said')")
            #expect(try await stored(bench, web).messages[3].feedback.isEmpty)
        }
    }

    /// A reply with everything that can be recorded of one.
    static let recorded = Message(
        id: "", sender: .bot, text: "The shop opens at nine.",
        generation: GenerationRecord(
            model: "loam-small-v2", temperature: 0.7, topP: 0.9, seed: 5, meanLogProbability: -1.2),
        search: SearchRecord(
            decision: "search", query: "opening hours", knowledge: "The shop opens at nine.",
            documents: [
                SearchDocument(
                    title: "Hours of the shop",
                    content: "The shop opens at nine and closes at six, on Saturdays at four.",
                    url: "https://example.org/hours"),
                SearchDocument(title: "A file of the house", content: "Keys hang by the door.", url: "notes/keys.txt"),
            ], provider: "documents"),
        memory: MemoryRecord(
            memories: ["I have a dog.", "I like jazz."], decision: "access memory", knowledge: "I like jazz."),
        modules: [ModuleRecord(module: "sdm", model: "rule", output: "search")],
        safety: [SafetyDecision(layer: "classifier", isUnsafe: false, score: 0.01)])
}
