/// Finds one kind of identifying text.
///
/// A recognizer runs in time linear in the text, whatever the text: it looks a bounded number of tokens ahead or behind and
/// never goes back over what it has read.
protocol Recognizer: Sendable {
    func recognize(_ text: ScannedText, _ context: RecognitionContext, into candidates: inout [Candidate])
}

/// What a recognizer thinks it found.
struct Candidate: Sendable, Hashable {
    var entity: Entity
    /// UTF-8 offsets.
    var start: Int
    var end: Int
    /// 0 to 1; what stays below the detector's threshold is dropped.
    var score: Double
}

/// What is known from outside the text.
struct RecognitionContext: Sendable {
    var lexicon: Lexicon
    /// What the turn before asked for (`What's your name?`), so that a bare answer is understood.
    var asked: WordClass = []
    /// Whether the turn before asked for a name.
    var asksName = false
    /// Folded words that were found as names elsewhere in the conversation.
    var knownNames: Set<UInt64> = []
}

/// Words that several recognizers look for, hashed once.
enum Word {
    static let name = FoldedHash("name").value
    static let names = FoldedHash("names").value
    static let whats = FoldedHash("whats").value
    static let who = FoldedHash("who").value
    static let my = FoldedHash("my").value
    static let your = FoldedHash("your").value
    static let you = FoldedHash("you").value
    static let full = FoldedHash("full").value
    static let `is` = FoldedHash("is").value
    static let was = FoldedHash("was").value
    static let i = FoldedHash("i").value
    static let im = FoldedHash("im").value
    static let am = FoldedHash("am").value
    static let m = FoldedHash("m").value
    static let s = FoldedHash("s").value
    static let call = FoldedHash("call").value
    static let calls = FoldedHash("calls").value
    static let me = FoldedHash("me").value
    static let this = FoldedHash("this").value
    static let at = FoldedHash("at").value
    static let dot = FoldedHash("dot").value
    static let and = FoldedHash("and").value
    static let of = FoldedHash("of").value
    static let the = FoldedHash("the").value
    static let a = FoldedHash("a").value
    static let an = FoldedHash("an").value
    static let corner = FoldedHash("corner").value
    static let `where` = FoldedHash("where").value
    static let `in` = FoldedHash("in").value
    static let from = FoldedHash("from").value
    static let his = FoldedHash("his").value
    static let her = FoldedHash("her").value
    static let with = FoldedHash("with").value
    static let by = FoldedHash("by").value
    static let named = FoldedHash("named").value
    static let called = FoldedHash("called").value
    static let our = FoldedHash("our").value
    static let favourites: Set<UInt64> = Set(
        ["favourite", "favorite", "favourites", "favorites", "fav", "favs"].map { FoldedHash($0).value })
}
