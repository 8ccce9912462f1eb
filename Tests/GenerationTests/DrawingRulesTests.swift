import Conversations
import Foundation
import Generation
import Testing
import Tokenizers

@Suite struct DrawingRulesTests {
    @Test func blocksRepeatedNGrams() {
        func forbidden(_ reply: [Int], _ n: Int) -> Set<Int> {
            DrawingRules(endIDs: [3], maximumTokens: 50, blockedNGram: n).forbidden(after: reply)
        }
        #expect(forbidden([5, 6, 7, 5, 6], 3) == [7])
        #expect(forbidden([5, 6, 7, 5, 6, 8, 5, 6], 3) == [7, 8])
        #expect(forbidden([5, 6, 7, 6, 5], 3).isEmpty)
        #expect(forbidden([5, 5], 2) == [5])
        #expect(forbidden([5, 6], 1) == [5, 6])
        #expect(forbidden([5, 6], 3).isEmpty)
        #expect(forbidden([], 1).isEmpty)
        #expect(forbidden([5, 6, 5, 6], 0).isEmpty)
    }

    @Test func endMustWaitAndMarksNeverCome() {
        let rules = DrawingRules(endIDs: [3, 9], suppressedIDs: [0, 1], minimumTokens: 2, maximumTokens: 50)
        #expect(rules.forbidden(after: [7]) == [0, 1, 3, 9])
        #expect(rules.forbidden(after: [7, 7]) == [0, 1])
    }
}

@Suite struct PromptWindowTests {
    let format: ChatFormat

    init() throws {
        format = try ChatFormat(
            tokenizer: .train(texts: [], vocabularySize: 0, specialTokens: ChatFormat.specialTokens))
    }

    /// Every character is one token here, so a turn of n letters takes n + 2.
    func prompt(_ turns: [Turn], context: Int, reply: Int) throws -> String {
        let ids = try PromptWindow(format: format, contextLength: context).prompt(for: turns, replyTokens: reply)
        return ids.map { [format.person: "P", format.bot: "B", format.end: "."][$0] ?? format.tokenizer.decode([$0]) }
            .joined()
    }

    let turns = [Turn(.human, "aaa"), Turn(.bot, "bbb"), Turn(.human, "ccc")]

    @Test func dropsTheOldestTurnsWhole() throws {
        #expect(try prompt(turns, context: 40, reply: 10) == "Paaa.Bbbb.Pccc.B")
        #expect(try prompt(turns, context: 26, reply: 10) == "Paaa.Bbbb.Pccc.B")
        // What stays begins with the person.
        #expect(try prompt(turns, context: 25, reply: 10) == "Pccc.B")
        #expect(try prompt(turns, context: 16, reply: 5) == "Pccc.B")
        #expect(try prompt(turns, context: 15, reply: 5) == "Pccc.B")
        #expect(try prompt([], context: 15, reply: 5) == "B")
    }

    /// The room is 40 of them: eight turns of five, of which six stay when it is full.
    @Test func theBeginningStaysForSomeTurns() throws {
        let letters = Array("abcdefgh")
        let long = (0..<31).map { Turn($0 % 2 == 0 ? .human : .bot, String(repeating: letters[$0 % 8], count: 3)) }
        var beginnings: [String] = []
        for count in stride(from: 1, through: 31, by: 2) {
            let text = try prompt(Array(long.prefix(count)), context: 51, reply: 10)
            #expect(text.count <= 41 && text.hasSuffix(".B"))
            if let last = beginnings.last, text.hasPrefix(last.dropLast()) { beginnings.removeLast() }
            beginnings.append(text)
        }
        // A beginning is extended until the room is full: a prompt in two begins as the one before, not none.
        #expect(beginnings.count <= 13 / 2 + 1, "\(beginnings)")
    }

    @Test func theLastTurnStaysIfOnlyItsEnd() throws {
        #expect(try prompt([Turn(.human, "abcdefgh")], context: 12, reply: 6) == "Pfgh.B")
        // A wish for more reply than half the context is cut to half.
        #expect(try prompt([Turn(.human, "abcdefgh")], context: 12, reply: 600) == "Pfgh.B")
        for context in 1...6 {
            let ids = try PromptWindow(format: format, contextLength: context).prompt(for: turns, replyTokens: 3)
            #expect(ids.count <= max(context, 1) && ids.last == format.bot)
        }
    }
}
