import Conversations
import Dialogue
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

extension BrowserTests {
    private func rememberingBench() async throws -> Workbench {
        let bench = try Workbench(ScriptedGenerator(modelID: "loam-small-v2") { _, _ in ["That is good to know."] })
        var plan = TurnPlan.plain
        plan.memory = .decide
        plan.memoryWriter = .rule
        await bench.host.become(
            .ready(
                DialogueAgent(
                    writers: ModuleWriters(ChatWriter(bench.generator)), plan: plan,
                    memories: MemoryBank(store: bench.store, encoder: nil))))
        return bench
    }

    @Test(
        "what Loam remembers is seen with where it came from, changed, and forgotten",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func memory() async throws {
        let bench = try await rememberingBench()
        try await browse(bench) { web in
            try await web.click("#openMemory")
            try await web.wait(until: "!document.querySelector('#memoryNone').hidden")
            try await web.press("\u{E00C}")
            try await web.say("I have a dog named Rex.")
            try await web.say("I like jazz.")
            let person = try await stored(bench, web).userID
            try await web.click("#openMemory")
            try await web.wait(until: "document.querySelectorAll('.memory').length === 2")
            #expect(try await web.text(".memory .fact") == "I have a dog named Rex.")
            #expect(try await web.text(".memory blockquote") == "I have a dog named Rex.")
            try await web.screenshots("memory")
            try await web.click(".memory .change")
            try await web.wait(until: "document.activeElement.matches('.change-memory textarea')")
            // Escape ends the changing, not the page of memories.
            try await web.press("\u{E00C}")
            try await web.wait(until: "document.querySelectorAll('.memory .change').length === 2")
            #expect(try await web.holds("document.querySelector('#memory').open"))
            try await web.click(".memory .change")
            try await web.value("document.querySelector('.change-memory textarea').value = ''")
            try await web.type("I have a cat named Tom.", into: ".change-memory textarea")
            try await web.click(".change-memory [type=submit]")
            try await web.wait(
                until: "document.querySelector('.memory .fact')?.textContent === 'I have a cat named Tom.'")
            #expect(
                try await bench.store.memories(of: person).map(\.text) == ["I have a cat named Tom.", "I like jazz."])
            try await web.click(".memory:last-child .forget")
            try await web.wait(until: "document.querySelectorAll('.memory').length === 1")
            #expect(try await web.holds("document.activeElement.classList.contains('forget')"))
            try await web.click("#memoryAll")
            try await web.click("#memoryYes")
            try await web.wait(until: "!document.querySelector('#memoryNone').hidden")
            #expect(try await bench.store.memories(of: person).isEmpty)
        }
    }

    @Test(
        "what is being changed of one memory stays while another one is forgotten",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func memoryDraft() async throws {
        let bench = try await rememberingBench()
        try await browse(bench) { web in
            try await web.say("I have a dog named Rex.")
            try await web.say("I like jazz.")
            try await web.click("#openMemory")
            try await web.wait(until: "document.querySelectorAll('.memory').length === 2")
            try await web.click(".memory .change")
            try await web.type(" He is old.", into: ".change-memory textarea")
            try await web.click(".memory:last-child .forget")
            try await web.wait(until: "document.querySelectorAll('.memory').length === 1")
            #expect(
                try await web.holds("document.querySelector('.change-memory textarea')?.value.includes('He is old.')"))
        }
    }

    @Test(
        "what votes did, earlier conversations, consent and download",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func contribution() async throws {
        let bench = try Workbench(
            ScriptedGenerator(modelID: "loam-small-v2") { turns, _ in ["You said: \(turns.last?.text ?? "")"] })
        try await browse(bench) { web in
            try await web.say("I walk by the river on Sundays.")
            try await web.click(".thumb.down")
            try await web.type("Which river?", into: ".panel textarea[name=correction]")
            try await web.click(".panel [type=submit]")
            try await web.wait(until: "document.querySelector('.said')")
            #expect(try await web.text(".said").contains("Waits for the next model."))
            let first = try await stored(bench, web)
            bench.clock.advance(100)
            try await bench.store.record(
                DatasetRecord(
                    id: "d", path: "x", shape: "loam", conversations: 1, people: 1, createdAt: bench.clock.now),
                people: [first.userID])
            try await bench.store.record(
                ModelRecord(id: "loam-small-v3", path: "x", datasets: ["d"], createdAt: bench.clock.now))
            try await web.reload()
            try await web.wait(
                until: "document.querySelector('.said')?.textContent.includes('Learnt by loam-small-v3.')")
            try await web.screenshots("learnt")

            try await web.click("#again")
            try await web.wait(until: "!document.querySelector('.turn')")
            try await web.say("Something new.")
            #expect(try await web.conversationID() != first.id)
            try await web.click("#openEarlier")
            try await web.wait(until: "document.querySelectorAll('.talk').length === 2")
            #expect(try await web.text(".talk[aria-current] b") == "Something new.")
            // The test's clock is years behind the browser's.
            #expect(try await web.text(".talk[aria-current] small").contains("2023"))
            try await web.screenshots("earlier")
            try await web.click("#earlierList li:last-child .talk")
            try await web.wait(until: "!document.querySelector('#earlier').open")
            #expect(try await web.text(".turn.human .bubble") == "I walk by the river on Sundays.")
            // The one that is open stays open.
            try await web.reload()
            try await web.wait(until: "document.querySelector('.turn.human .bubble')?.innerText.startsWith('I walk')")
            try await web.say("Going on here.")
            #expect(try await stored(bench, web).messages.count == 4)

            try await web.click("#openData")
            try await web.wait(until: "document.querySelectorAll('.figures li').length === 4")
            #expect(
                try await web.value("return [...document.querySelectorAll('.figures b')].map((b) => b.textContent)")
                    == .array(["1", "1", "0", "1"].map(JSONValue.string)))
            #expect(try await web.text("#contribution .fine").contains("loam-small-v3"))
            try await web.screenshots("your-data")
            #expect(
                try await web.value(
                    "return fetch(document.querySelector('#download').href).then((r) => r.json()).then((d) => d.conversations.length)"
                )
                    == .number(2))
            try await web.value(
                """
                const real = window.fetch;
                window.fetch = async () => {
                  window.fetch = real;
                  return new Response('{"error":{"message":"Not now."}}', { status: 503 });
                };
                """)
            try await web.click("#download")
            try await web.wait(until: "document.querySelector('#downloadDone').textContent === 'Not now.'")
            try await web.click("#consentChange input[value=release]")
            try await web.wait(until: "document.querySelector('#consentDone').textContent.startsWith('Changed')")
            #expect(try await stored(bench, web).consent == .release)
            #expect(try await web.conversationID() == first.id)
            try await web.click("#delete")
            try await web.screenshots("delete")
            try await web.click("#deleteYes")
            try await web.wait(until: "!document.querySelector('#welcome').hidden")
            #expect(try await bench.store.conversations(of: first.userID).isEmpty)
            #expect(try await web.value("return location.hash") == .string(""))
        }
    }
}
