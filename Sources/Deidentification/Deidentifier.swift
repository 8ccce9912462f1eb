import Conversations

/// Takes out of a conversation what tells who the person is, and puts in its place what keeps the conversation readable.
///
/// Names, numbers and addresses are found by recognizers (see `Entity`); the same text gets the same pseudonym throughout a
/// conversation and another one in the next, by HMAC-SHA256 under a key kept apart from the data. The key does not leave
/// this type and no finding holds a found text. Value type without state: safe to use from many tasks.
public struct Deidentifier: Sendable {
    private let key: DeidentificationKey
    private let operators: OperatorTable
    private let detector: Detector

    /// - Parameters:
    ///   - key: See `DeidentificationKey.loadOrCreate`.
    ///   - operators: What stands where something was found.
    ///   - lexicon: Word lists; the ones that come with Loam when not given.
    ///   - threshold: Findings with a lower score are dropped. Lower finds more and spoils more.
    ///   - includesKnown: Find countries and large cities too, which tell nothing of anyone and stay otherwise: for
    ///     comparison with marked texts.
    /// - Throws: `DeidentificationError` when a word list of the installation is missing.
    public init(
        key: DeidentificationKey, operators: OperatorTable = OperatorTable(), lexicon: Lexicon? = nil,
        threshold: Double = 0.5, includesKnown: Bool = false
    ) throws(DeidentificationError) {
        self.key = key
        self.operators = operators
        let lists: Lexicon
        if let lexicon { lists = lexicon } else { lists = try Lexicon() }
        detector = Detector(lexicon: lists, threshold: threshold, includesKnown: includesKnown)
    }

    // MARK: One text

    /// What stands in a text of its own, in order.
    public func findings(in text: String) -> [Finding] {
        findings(in: ScannedText(text, lexicon: detector.lexicon), tags: nil)
    }

    /// What stands in texts of their own, names by an encoder too; the texts are encoded together.
    public func findings(in texts: [String], with tagger: NameTagger) async throws -> [[Finding]] {
        let scanned = texts.map { ScannedText($0, lexicon: detector.lexicon) }
        let tags = try await tagger.tags(scanned, lexicon: detector.lexicon)
        return zip(scanned, tags).map { findings(in: $0, tags: $1) }
    }

    private func findings(in scanned: ScannedText, tags: NameTags?) -> [Finding] {
        let context = RecognitionContext(lexicon: detector.lexicon)
        let found = ConflictRule.resolve(
            detector.patterns(in: scanned, context) + detector.names(in: scanned, context, tags: tags))
        return found.map { Self.finding($0, scanned) }
    }

    private static func finding(_ candidate: Candidate, _ text: ScannedText, _ place: Finding.Place? = nil) -> Finding {
        let range = text.originalRange(candidate.start, candidate.end)
        return Finding(
            entity: candidate.entity, start: range.lowerBound, end: range.upperBound, score: candidate.score,
            place: place)
    }

    /// De-identifies a text of its own.
    /// - Parameter scope: Pseudonyms are the same within a scope and differ between scopes.
    public func deidentify(text: String, scope: String) -> (String, [Finding]) {
        var holder = Conversation(id: scope, userID: "", messages: [Message(id: "", sender: .human, text: text)])
        let (changed, findings) = deidentify(holder)
        holder = changed
        return (
            holder.messages.first?.text ?? "",
            findings.map {
                var finding = $0
                finding.place = nil
                return finding
            }
        )
    }

    // MARK: A conversation

    /// A conversation without what identifies, and where what was found, in order.
    ///
    /// Two passes: names given in one turn (`I'm …`, an answer to "What's your name?") are then found in all others, in
    /// small letters too. `userID` is a pseudonym already and stays, unless it holds an address or a number itself: then
    /// it becomes a keyed hash that is the same in all conversations, because trust and splits go by it. So do ids of the
    /// conversation and its messages, and the source, that hold one.
    public func deidentify(_ conversation: Conversation) -> (Conversation, [Finding]) {
        deidentify(conversation, nil, tags: nil)
    }

    /// Conversations without what identifies, names found by an encoder too. Their texts are encoded together, so that a
    /// few dozen conversations at a time are faster than one by one.
    public func deidentify(
        _ conversations: [Conversation], with tagger: NameTagger
    ) async throws -> [(Conversation, [Finding])] {
        let scanned = conversations.map(scan)
        let tags = try await tagger.tags(scanned.flatMap { $0 }, lexicon: detector.lexicon)
        var start = 0
        return zip(conversations, scanned).map { conversation, texts in
            defer { start += texts.count }
            return deidentify(conversation, texts, tags: Array(tags[start..<(start + texts.count)]))
        }
    }

    /// The texts of a conversation, in the order that they are visited in.
    private func scan(_ conversation: Conversation) -> [ScannedText] {
        var scanned: [ScannedText] = []
        var copy = conversation
        ConversationTexts.visit(&copy) { _, text in scanned.append(ScannedText(text, lexicon: detector.lexicon)) }
        return scanned
    }

    private func deidentify(
        _ conversation: Conversation, _ texts: [ScannedText]?, tags: [NameTags]?
    ) -> (Conversation, [Finding]) {
        var work = Work()
        var result = conversation
        var expectation: (asked: WordClass, asksName: Bool) = ([], false)
        var turns: [(index: Int, message: Int)] = []
        ConversationTexts.visit(&result) { field, text in
            let index = work.texts.count
            let scanned = texts?[index] ?? ScannedText(text, lexicon: detector.lexicon)
            var context = RecognitionContext(lexicon: detector.lexicon)
            if field.isTurn {
                context.asked = expectation.asked
                context.asksName = expectation.asksName
                expectation = detector.expectation(of: scanned)
                turns.append((index, turns.count))
            } else if let key = field.key {
                (context.asked, context.asksName) = self.expectation(ofKey: key)
            }
            let names = detector.names(in: scanned, context, tags: tags?[index])
            for name in names where name.score >= 0.6 && name.entity == .person {
                work.knownNames.formUnion(detector.words(of: name, in: scanned))
            }
            work.texts.append(
                .init(
                    scanned: scanned, patterns: detector.patterns(in: scanned, context), context: context, names: names,
                    tags: tags?[index])
            )
        }
        SplitFindings(detector: detector).add(turns, conversation.messages.map(\.sender), &work.texts)
        let candidates = work.resolved(detector)
        let ids = hashedIDs(of: &result)
        guard ids > 0 || candidates.contains(where: { !$0.isEmpty }) else { return (conversation, []) }

        var book = PseudonymBook(
            key: key, scope: conversation.id, lexicon: detector.lexicon, taken: work.words)
        var findings: [Finding] = []
        var index = 0
        ConversationTexts.visit(&result) { field, text in
            let found = candidates[index]
            if !found.isEmpty {
                text = replaced(work.texts[index].scanned, found, &book)
                findings += found.map { Self.finding($0, work.texts[index].scanned, field.place) }
            }
            index += 1
        }
        return (result, findings)
    }

    /// What the first pass leaves for the second.
    private struct Work {
        var texts: [WorkedText] = []
        var knownNames: Set<UInt64> = []

        /// Every folded word of the conversation.
        var words: Set<UInt64> {
            var words: Set<UInt64> = []
            for text in texts {
                for token in text.scanned.tokens where token.kind == .word { words.insert(token.folded) }
            }
            return words
        }

        func resolved(_ detector: Detector) -> [[Candidate]] {
            texts.map { text in
                var names = text.names
                if !knownNames.isEmpty {
                    var context = text.context
                    context.knownNames = knownNames
                    names = detector.names(in: text.scanned, context, tags: text.tags)
                }
                return ConflictRule.resolve(text.patterns + names)
            }
        }
    }

    private func replaced(_ text: ScannedText, _ found: [Candidate], _ book: inout PseudonymBook) -> String {
        let original = text.original
        var result: [UInt8] = []
        result.reserveCapacity(original.count)
        var position = 0
        for candidate in found {
            let range = text.originalRange(candidate.start, candidate.end)
            result.append(contentsOf: original[position..<range.lowerBound])
            // A name spelled with look-alikes is the same name.
            let plain = String(decoding: text.bytes[candidate.start..<candidate.end], as: UTF8.self)
            result.append(contentsOf: replacement(of: plain, candidate.entity, &book).utf8)
            position = range.upperBound
        }
        result.append(contentsOf: original[position...])
        return String(decoding: result, as: UTF8.self)
    }

    private func replacement(of text: String, _ entity: Entity, _ book: inout PseudonymBook) -> String {
        switch operators[entity] {
        case .pseudonymise: book.pseudonym(of: text, entity)
        case .replace: "<\(entity.rawValue)>"
        case .redact: ""
        case .mask: String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.isWhitespace ? $0 : "*" }))
        case .hash: "<\(entity.rawValue)_\(book.hash(of: text, entity))>"
        case .keep: text
        }
    }

    // MARK: Ids and unknown fields

    /// Replaces user ids that hold an e-mail address, a telephone number or the like, and the ids of conversations and messages
    /// that repeat one of those: chat systems name a chat after who is in it. What stands in an id's place depends on its text
    /// alone, so whatever refers to it still does. Returns how many.
    private func hashedIDs(of conversation: inout Conversation) -> Int {
        var count = 0
        func hashed(_ id: inout String, as kind: String) {
            var random = KeyedRandom(key: key, [Array(kind.utf8), Array(id.utf8)])
            id = kind + "-" + random.hex(16)
            count += 1
        }
        let chat = conversation.id
        var people = [conversation.userID]
        for message in conversation.messages { people += message.feedback.map(\.userID) }
        let telling = Set(people).filter {
            let scanned = ScannedText($0, lexicon: detector.lexicon)
            return !detector.patterns(in: scanned, RecognitionContext(lexicon: detector.lexicon)).isEmpty
        }
        /// Addresses and numbers have these signs; an id of a few letters would be found in anything.
        func tells(_ id: String) -> Bool {
            id.utf8.contains { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "+") }
                || telling.contains { $0.utf8.count >= 4 && id.contains($0) }
        }
        /// A person whom a log does not name is called after the conversation.
        func tellsWho(_ id: String) -> Bool { telling.contains(id) || (tells(chat) && id.contains(chat)) }
        func mask(_ id: inout String?) {
            guard var text = id, tells(text) else { return }
            hashed(&text, as: "id")
            id = text
        }

        if tellsWho(conversation.userID) { hashed(&conversation.userID, as: "user") }
        if tells(chat) { hashed(&conversation.id, as: "id") }
        // The name of the file that it was read from: exports are called after who is in them.
        mask(&conversation.source)
        for i in conversation.messages.indices {
            if tells(conversation.messages[i].id) { hashed(&conversation.messages[i].id, as: "id") }
            mask(&conversation.messages[i].parentID)
            mask(&conversation.messages[i].asksAbout)
            for k in conversation.messages[i].feedback.indices
            where tellsWho(conversation.messages[i].feedback[k].userID) {
                hashed(&conversation.messages[i].feedback[k].userID, as: "user")
            }
        }
        return count
    }

    /// `phone_number` and `phoneNumber` say that their value is one, `first_name` that it is somebody's.
    private func expectation(ofKey key: String) -> (asked: WordClass, asksName: Bool) {
        var words = String.UnicodeScalarView()
        var isAfterSmall = false
        for scalar in key.unicodeScalars {
            if isAfterSmall, scalar.properties.isUppercase { words.append(" ") }
            words.append(scalar == "_" ? " " : scalar)
            isAfterSmall = scalar.properties.isLowercase
        }
        let scanned = ScannedText(String(words), lexicon: detector.lexicon)
        let wanted: WordClass = [
            .phone, .card, .ssn, .birth, .address, .account, .license, .passport, .iban, .age, .postcode,
        ]
        let asksName = scanned.tokens.indices.contains { i in
            Self.wholeNames.contains(scanned.tokens[i].folded)
                || (scanned.isWord(i, Word.name) && i > 0 && Self.namesOfPeople.contains(scanned.tokens[i - 1].folded))
        }
        return (scanned.classes.intersection(wanted), asksName)
    }

    private static let wholeNames = Set(["firstname", "lastname", "fullname", "surname"].map { FoldedHash($0).value })
    /// What stands before `name` where it is a person's; a file, a tool and a model have names too.
    private static let namesOfPeople = Set(
        ["first", "last", "full", "given", "family", "middle", "maiden", "real"].map { FoldedHash($0).value })
}
