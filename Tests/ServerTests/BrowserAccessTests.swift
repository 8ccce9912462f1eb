import Conversations
import Dialogue
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

extension BrowserTests {
    /// No fault in light and dark, on a large screen and on a small phone.
    private func expectAccess(_ web: WebDriver, _ place: String) async throws {
        for scheme in ["light", "dark"] {
            try await web.prefer(scheme: scheme)
            for isPhone in [false, true] {
                if isPhone { try await web.resize(width: 320, height: 640) } else { try await web.resetSize() }
                #expect(
                    try await web.value(AccessCheck.script) == .array([]),
                    "\(place), \(scheme)\(isPhone ? ", phone" : "")")
            }
        }
        try await web.resetSize()
        try await web.prefer(scheme: "light")
    }

    /// Goes through everything by the Tab key: in the order of the document, and one always sees where one is.
    /// - Returns: how many places there are.
    @discardableResult
    private func expectFocusOrder(_ web: WebDriver, _ place: String) async throws -> Int {
        var last = -1
        var seen = 0
        for _ in 0..<60 {
            try await web.press("\u{E004}")
            guard case .array(let parts) = try await web.value(AccessCheck.focus), parts.count == 3,
                case .number(let position) = parts[0], case .string(let name) = parts[2]
            else { return seen }
            // Round to the beginning, or out of the page.
            if Int(position) <= last { break }
            #expect(parts[1] == .bool(true), "the focus cannot be seen on \(name), \(place)")
            last = Int(position)
            seen += 1
        }
        return seen
    }

    @Test(
        "names, contrast, sizes, focus: the page can be used without eyes, without a mouse, in light and dark, on a phone",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(3)))
    func access() async throws {
        let bench = try Workbench(
            ScriptedGenerator { turns, _ in turns.last?.text == "break" ? [] : ["You said: \(turns.last?.text ?? "")"] }
        )
        try await browse(bench, consent: nil) { web in
            try await expectAccess(web, "welcome")
            #expect(try await expectFocusOrder(web, "welcome") >= 2)
            try await web.begin("improve")
            try await expectAccess(web, "empty talk")
            try await web.say("hello")
            try await web.click(".regenerate")
            try await web.wait(until: "document.querySelector('.stepper')")
            try await web.click(".turn.bot .thumb.down")
            try await web.wait(until: "document.querySelector('.panel')")
            try await web.press(" ")
            try await expectAccess(web, "reasons")
            try await web.type("better words", into: ".panel textarea[name=correction]")
            try await web.click(".panel [type=submit]")
            try await web.wait(until: "document.querySelector('.mine-said')")
            await bench.host.become(.ready(FixedAnswerer(reply: Self.recorded)))
            try await web.say("when")
            try await web.click(".turn:last-child .look")
            try await web.wait(until: "document.querySelector('.inside')")
            try await expectAccess(web, "inside")
            await bench.host.become(
                .ready(
                    FixedAnswerer(
                        reply: Message(
                            id: "", sender: .bot, text: "Something else, please.", isSafetyControlled: true,
                            interactionFailure: "unsafe_Human"),
                        personDecisions: [SafetyDecision(layer: "classifier", isUnsafe: true)])))
            try await web.say("bad")
            try await web.click(".fine-by-me")
            try await web.wait(until: "document.querySelector('.turn.safety .said')")
            try await expectAccess(web, "safety")
            try await web.value("document.querySelector('.skip').focus()")
            #expect(try await expectFocusOrder(web, "talk") >= 15)
            // Past the head by the first link; the address stays the conversation's.
            let id = try await web.conversationID()
            try await web.value("document.querySelector('.skip').focus()")
            try await web.press("\u{E007}")
            #expect(try await web.value("return document.activeElement.id") == .string("text"))
            #expect(try await web.conversationID() == id)

            for dialog in ["earlier", "memory", "data"] {
                try await web.click("#open\(dialog.prefix(1).uppercased())\(dialog.dropFirst())")
                try await web.wait(until: "document.querySelector('#\(dialog)').open")
                if dialog == "data" { try await web.wait(until: "document.querySelector('.figures')") }
                if dialog == "earlier" { try await web.wait(until: "document.querySelector('.talk')") }
                try await expectAccess(web, dialog)
                try await expectFocusOrder(web, dialog)
                try await web.press("\u{E00C}")
                try await web.wait(until: "!document.querySelector('dialog[open]')")
                #expect(
                    "\(try await web.value("return document.activeElement.id"))".lowercased().contains(dialog),
                    "the focus comes back to where it was")
            }
        }
    }

    @Test(
        "two replies to choose from can be told apart and reached by ear and keyboard",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func accessOfChoice() async throws {
        let calls = CallCount()
        let bench = try Workbench(ScriptedGenerator { _, _ in ["reply \(calls.next())"] }, compareShare: 1)
        try await browse(bench) { web in
            try await web.type("hello\u{E007}", into: "#text")
            try await web.wait(until: "document.querySelectorAll('.pick').length === 2")
            try await web.wait(until: "document.querySelector('#announce').textContent.includes('two answers')")
            #expect(
                try await web.holds(
                    """
                    document.querySelector('#announce').textContent.includes(
                      [...document.querySelectorAll('.option .bubble')]
                        .map((bubble, place) => `${['First', 'Second'][place]}: ${bubble.textContent}`).join(' '))
                    """))
            try await expectAccess(web, "choice")
            #expect(try await web.accessibleName(".pair") == "Loam has two answers. Which one do you like better?")
        }
    }
}
