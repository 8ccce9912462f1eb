import Conversations
import Deidentification
import Foundation
import Storage

/// Consented, de-identified conversations out of a store, as a log or as lines that trainers read, with a data card.
public struct DatasetExport: Sendable {
    /// The shapes of `docs/formats.md`.
    public enum Shape: String, Sendable, CaseIterable {
        /// Conversations, one per line.
        case loam
        /// A release in BB3x's schema: 100 chunks, by person.
        case bb3x
        /// Liked replies with their context: TRL conversational language modelling.
        case sft = "trl-sft"
        /// The same as TRL prompt-completion.
        case promptCompletion = "trl-prompt-completion"
        /// Every thumb: TRL unpaired preference.
        case kto = "trl-kto"
        /// Corrections, siblings, battles: TRL explicit preference.
        case dpo = "trl-dpo"
        /// The same lines, as TRL's reward trainer takes them.
        case reward = "trl-reward"
        /// Liked replies: OpenAI supervised fine-tuning.
        case openAISupervised = "openai-sft"
        /// Pairs: OpenAI preference fine-tuning.
        case openAIPreference = "openai-dpo"

        /// What people must have allowed.
        var consent: Consent { self == .bb3x ? .release : .improve }
    }

    public struct Result: Sendable, Encodable {
        public var files: [String]
        public var lines: Int
        public var conversations: Int
        public var withoutConsent: Int
        /// Conversations left out by the cleaner, by reason.
        public var cleaned: [String: Int]
        /// Votes left out because their voter is trusted too little.
        public var distrusted: Int
    }

    public var shape: Shape
    /// Names that de-identification leaves alone: the bot's own, the operator's brand.
    public var keptNames: [String]
    /// Only conversations begun or changed at this time or later.
    public var since: Date?
    /// Parts by person, one file each; one file `all` without.
    public var split: UserSplit?
    /// Only votes of people trusted this much, by person; who is not listed is trusted nothing.
    public var trust: (minimum: Double, users: [String: Double])?
    /// Leave out spam and near-copies.
    public var isCleaned: Bool
    /// Labelled texts to measure de-identification on, for the card.
    public var labelled: URL?
    /// Finds names by an encoder too; `nil` leaves it at lists and patterns.
    public var tagger: NameTagger?

    public init(
        shape: Shape, keptNames: [String] = [], since: Date? = nil, split: UserSplit? = nil,
        trust: (minimum: Double, users: [String: Double])? = nil, isCleaned: Bool? = nil, labelled: URL? = nil,
        tagger: NameTagger? = nil
    ) {
        self.shape = shape
        self.keptNames = keptNames
        self.since = since
        self.split = split
        self.trust = trust
        self.isCleaned = isCleaned ?? (shape == .bb3x)
        self.labelled = labelled
        self.tagger = tagger
    }

    /// One conversation, ready to be written: all that no other conversation has a say in.
    struct Prepared: Sendable {
        var userID: String
        /// Whose words or votes are in the lines.
        var people: Set<String>
        var file: String
        var look: (reason: ConversationCleaner.Reason?, signature: [UInt32])?
        var lines: [String]
        var figures: DataFigures
    }

    /// Writes files into `folder`, each whole or not at all, and `README.md`, the data card; remembers in the store who is
    /// in them. `onProgress` is told the conversations read so far.
    public func run(
        store: any ConversationStore, to folder: URL, key: URL, now: Date = Date(),
        onProgress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> Result {
        var random = SystemRandomNumberGenerator()
        let deidentifier = try Deidentifier(
            key: DeidentificationKey.loadOrCreate(at: key, using: &random), lexicon: Lexicon(kept: keptNames))
        let recall = try await recall(of: deidentifier)
        let files = try DatasetFiles(folder)
        var (read, withoutConsent) = (0, 0)
        var people: Set<String> = []
        var figures = DataFigures()
        var parts: [String: DataFigures.Part] = [:]
        var cleaner = ConversationCleaner()

        func write(_ batch: [Prepared]) throws {
            for item in batch {
                if let look = item.look, !cleaner.keeps(look) { continue }
                figures.add(item.figures)
                people.formUnion(item.people)
                for line in item.lines { try files.write(line, to: item.file) }
                var part = parts[partName(of: item)] ?? DataFigures.Part()
                part.add(lines: item.lines.count, userID: item.userID, figures: item.figures)
                parts[partName(of: item)] = part
            }
        }
        // Pages are treated on as many processors as there are, and written in order. An encoder takes one after the other.
        let most = tagger == nil ? 4 : 2
        var waiting: [Task<[Prepared], any Error>] = []
        defer { for task in waiting { task.cancel() } }
        var last: String?
        while true {
            let page = try await store.page(after: last, limit: 100, consent: .none, since: since)
            guard let end = page.last else { break }
            last = end.id
            read += page.count
            let kept = page.filter { $0.consent >= shape.consent }
            withoutConsent += page.count - kept.count
            waiting.append(Task { try await prepare(kept, with: deidentifier) })
            if waiting.count > most { try write(await waiting.removeFirst().value) }
            onProgress(read)
        }
        while !waiting.isEmpty { try write(await waiting.removeFirst().value) }
        figures.withoutConsent = withoutConsent
        figures.cleaned = Dictionary(uniqueKeysWithValues: cleaner.counts.map { ($0.key.rawValue, $0.value) })
        let names = try files.close(
            always: shape == .bb3x ? Self.chunks : split?.parts.map { name($0.name) } ?? [name(nil)])
        let card = DataCard(
            shape: shape, figures: figures, parts: parts, isCleaned: isCleaned, since: since, trust: trust?.minimum,
            recall: recall, createdAt: now)
        try Data(card.text.utf8).write(to: folder.appending(path: "README.md"), options: .atomic)
        let id = StableHash.identifier(
            of: Array("\(folder.standardizedFileURL.path) \(now.timeIntervalSince1970)".utf8))
        try await store.record(
            DatasetRecord(
                id: id, path: folder.path, shape: shape.rawValue, conversations: figures.conversations,
                people: people.count, createdAt: now), people: people)
        return Result(
            files: names.map { folder.appending(path: $0).path }, lines: files.lines,
            conversations: figures.conversations, withoutConsent: withoutConsent, cleaned: figures.cleaned,
            distrusted: figures.distrustedVotes)
    }

    /// Chunks of a BB3x release.
    static let chunks = (0..<100).map { "release_data_\($0 < 10 ? "0" : "")\($0).jsonl" }

    private func name(_ part: String?) -> String {
        let stem = shape == .loam ? "conversations" : shape.rawValue
        return part.map { "\(stem)-\($0).jsonl" } ?? "\(stem).jsonl"
    }

    /// A person's chunk or part: by hash, so that it is the same in every release.
    private func file(of userID: String) -> String {
        guard shape == .bb3x else { return name(split?.part(of: userID)) }
        var hash = StableHash(salt: "bb3x chunk")
        hash.add(userID)
        return Self.chunks[Int(hash.value % 100)]
    }

    private func partName(of item: Prepared) -> String {
        guard shape == .bb3x, let chunk = Self.chunks.firstIndex(of: item.file) else {
            return split?.part(of: item.userID) ?? "all"
        }
        // As the release's own reader splits: test 0–2, valid 3–5, train 6–99.
        return chunk < 3 ? "test" : chunk < 6 ? "valid" : "train"
    }

    /// What of the labelled texts is found; `nil` where there are none.
    private func recall(of deidentifier: Deidentifier) async throws -> DeidentificationScore? {
        guard let labelled else { return nil }
        let texts = try LabelledText.read(labelled)
        guard let tagger else { return DeidentificationScorer().score(texts, with: deidentifier) }
        return DeidentificationScorer().score(
            texts, found: try await deidentifier.findings(in: texts.map(\.text), with: tagger))
    }

    func prepare(_ conversations: [Conversation], with deidentifier: Deidentifier) async throws -> [Prepared] {
        var conversations = conversations
        var distrusted = [Int](repeating: 0, count: conversations.count)
        if let trust {
            for place in conversations.indices {
                for message in conversations[place].messages.indices {
                    let before = conversations[place].messages[message].feedback.count
                    conversations[place].messages[message].feedback.removeAll {
                        (trust.users[$0.userID] ?? 0) < trust.minimum
                    }
                    distrusted[place] += before - conversations[place].messages[message].feedback.count
                }
            }
        }
        let treated =
            if let tagger {
                try await deidentifier.deidentify(conversations, with: tagger)
            } else { conversations.map { deidentifier.deidentify($0) } }
        return zip(conversations.indices, treated).map { place, treated in
            let conversation = conversations[place]
            var figures = DataFigures()
            figures.distrustedVotes = distrusted[place]
            figures.count(treated.0, findings: treated.1.map(\.entity.rawValue))
            // A vote, its comment and a correction are words too; of others' a BB3x release has none.
            var people: Set = [conversation.userID]
            if shape != .bb3x {
                for message in conversation.messages { people.formUnion(message.feedback.map(\.userID)) }
            }
            return Prepared(
                userID: conversation.userID, people: people, file: file(of: conversation.userID),
                look: isCleaned ? ConversationCleaner.look(at: conversation) : nil, lines: lines(of: treated.0),
                figures: figures)
        }
    }

    /// The lines of one conversation.
    func lines(of conversation: Conversation) -> [String] {
        switch shape {
        case .loam: [conversation.jsonLine]
        case .bb3x: [BB3xEncoder.line(of: conversation)]
        case .sft: liked(conversation).map { TrainingLine.languageModeling($0.context, reply: $0.reply) }
        case .promptCompletion: liked(conversation).map { TrainingLine.promptCompletion($0.context, reply: $0.reply) }
        case .openAISupervised: liked(conversation).map { TrainingLine.openAISupervised($0.context, reply: $0.reply) }
        case .kto:
            conversation.votedReplies.compactMap { vote in
                vote.rating.map { TrainingLine.unpaired(vote.context, reply: vote.reply, isGood: $0 == .like) }
            }
        case .dpo, .reward: conversation.replyPairs.map(TrainingLine.preference)
        case .openAIPreference: conversation.replyPairs.map(TrainingLine.openAIPreference)
        }
    }

    private func liked(_ conversation: Conversation) -> [VotedReply] {
        conversation.votedReplies.filter { $0.rating == .like }
    }
}
