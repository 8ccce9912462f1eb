import Foundation

/// Lasting facts that somebody states about themselves, found by the shape of their sentences: a memory writer that needs
/// no model. It would rather miss a fact than remember a mood, a plan for the evening or a question.
public enum StatedFacts {
    /// The facts of a message, each as one sentence, at most three.
    public static func facts(in text: String) -> [String] {
        var result: [String] = []
        for sentence in SentenceCut.sentences(of: text) where !sentence.hasSuffix("?") {
            guard let fact = fact(of: sentence), !result.contains(fact) else { continue }
            result.append(fact)
            if result.count == 3 { break }
        }
        return result
    }

    private static let starts = [
        "i am from", "i am called", "i am married", "i am allergic", "i am vegan", "i am vegetarian", "i am a ",
        "i am an ", "i am learning", "i am studying", "i have ", "i live ", "i work ", "i play ", "i own ", "i like ",
        "i love ", "i enjoy ", "i prefer ", "i hate ", "i do not like ", "i do not eat ", "i do not drink ",
        "i do not have ", "i study ", "i teach ", "i speak ", "i grew up ", "i was born ", "i come from ",
        "i moved to ",
        "i collect ", "i drive ", "i never eat ", "i never drink ", "i no longer ", "i used to ", "my name is ",
        "my favorite ", "my favourite ", "my birthday ", "my wife ", "my husband ", "my partner ", "my son ",
        "my daughter ", "my dog ", "my cat ", "my brother ", "my sister ", "my job ", "my hobby ", "my hobbies ",
        "my kids ", "my children ", "we have ", "we live ", "we own ", "call me ",
    ]
    /// Of today only, or no statement of one's own.
    private static let passing = [
        "i have to ", "i have been ", "i have a question", "i have no idea", "i have an idea", "i have a feeling",
        "i am a bit ", "i am a little ", "i have never heard", "i have heard", "i have seen", "i like that",
        "i love that", "i like it", "i love it", "i like this", "i love this", "i like you", "i love you",
        "i hate that", "i hate it", "i hate you", "i hate this", "i like your", "i love your", "i like how",
        "i love how", "i have got to ", "i work on that", "i do not like that", "i do not like it", "i do not like you",
        "i do not have time", "i do not have to", "i have a headache", "i have just ", "i have already",
        "i would ", "i am an idiot",
    ]

    private static func fact(of sentence: String) -> String? {
        // Words before the statement: "Well, I …", "Yes, my …".
        var text = Substring(sentence)
        for lead in [
            "well", "yes", "yeah", "no", "oh", "hi", "hello", "hey", "so", "actually", "and", "but", "btw", "also",
            "ok",
            "okay", "sure", "thanks", "honestly",
        ] {
            guard text.count > lead.count, text.lowercased().hasPrefix(lead) else { continue }
            let rest = text.dropFirst(lead.count)
            guard let next = rest.first, next == "," || next.isWhitespace || next == "!" else { continue }
            let trimmed = rest.drop { $0 == "," || $0.isWhitespace || $0 == "!" }
            // "So do I" is left alone; only a statement may remain.
            if ["i ", "i'", "i’", "my ", "we "].contains(where: trimmed.lowercased().hasPrefix) {
                text = trimmed
                break
            }
        }
        let words = NearDuplicate.spelledOut(String(text))
        guard words.count >= 3, words.count <= 24 else { return nil }
        let line = words.joined(separator: " ") + " "
        let plain = line.replacingOccurrences(of: "i really ", with: "i ").replacingOccurrences(
            of: "i also ", with: "i "
        )
        .replacingOccurrences(of: "i just ", with: "i ").replacingOccurrences(of: "i actually ", with: "i ")
        guard starts.contains(where: plain.hasPrefix) || isAge(words), !passing.contains(where: plain.hasPrefix) else {
            return nil
        }
        // "… when you" speaks to the bot; "if" and "maybe" are no facts.
        guard
            !words.contains(
                where: ["you", "your", "maybe", "if", "today", "tonight", "tomorrow", "yesterday"].contains)
        else { return nil }
        var fact = text.prefix(1).uppercased() + text.dropFirst()
        while let last = fact.last, "!. ,;".contains(last) { fact.removeLast() }
        return fact + "."
    }

    private static func isAge(_ words: [String]) -> Bool {
        words.starts(with: ["i", "am"]) && words.count >= 4 && Int(words[2]) != nil && words.contains("years")
    }
}
