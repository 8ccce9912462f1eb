/// Names of persons: by lists of given and family names, by introductions (`my name is …`, `I'm …`, `call me …`, also in
/// small letters), by what stands around a capitalised word (`my friend …`, `… said`), and by what the conversation has
/// already told. Well-known persons, characters and places stay.
struct PersonRecognizer: Recognizer {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate]) {
        let reader = NameReader(text: text, context: context)
        let tokens = text.tokens
        var keptTails: Set<UInt64> = []
        var i = 0
        while i < tokens.count {
            guard tokens[i].kind == .word else {
                i += 1
                continue
            }
            if tokens[i].classes.contains(.keptStart), let end = reader.keptEnd(i) {
                // `Elon Musk` once, then `Musk` alone; behind `St. Paul` another Paul is somebody.
                let lexicon = context.lexicon
                if end > i, text.phraseEnd(i, in: lexicon.places, longest: lexicon.longestKept) != end {
                    keptTails.insert(tokens[end].folded)
                }
                i = end + 1
                continue
            }
            if keptTails.contains(tokens[i].folded), tokens[i].isCapitalised || tokens[i].length > 3 {
                i += 1
                continue
            }
            guard let name = reader.name(at: i) else {
                i += 1
                continue
            }
            candidates.append(
                Candidate(
                    entity: .person, start: tokens[name.first].start, end: tokens[name.last].end, score: name.score))
            i = max(name.last, i) + 1
        }
    }
}
