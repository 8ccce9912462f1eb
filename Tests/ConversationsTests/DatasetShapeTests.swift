import Conversations
import Foundation
import RandomConversations
import Testing

@Suite("Lines that trainers read, a release, cleaning")
struct DatasetShapeTests {
    /// A tree: the person asks, two replies, the second goes on.
    private let tree = Conversation(
        id: "c", userID: "u",
        messages: [
            Message(id: "q", sender: .human, text: "why"),
            Message(id: "a1", sender: .bot, text: "no idea", feedback: [Feedback(userID: "u", rating: .dislike)]),
            Message(
                id: "a2", sender: .bot, text: "because", parentID: "q",
                feedback: [Feedback(userID: "u", rating: .like)]),
            Message(id: "a3", sender: .bot, text: "ask him", parentID: "q"),
            Message(id: "q2", sender: .human, text: "so", parentID: "a2"),
            Message(
                id: "b", sender: .bot, text: "\"so\"\n", feedback: [Feedback(userID: "u", correction: "so it is")]),
        ])

    @Test("siblings, the way to the end, pairs")
    func pairs() {
        #expect(tree.siblings(of: "a3").map(\.id) == ["a1", "a2", "a3"])
        #expect(tree.siblings(of: "q").isEmpty)
        #expect(tree.siblings(of: "b").map(\.id) == ["b"])
        #expect(tree.mainPath.map { tree.messages[$0].id } == ["q", "a2", "q2", "b"])
        let pairs = tree.replyPairs
        #expect(pairs.map(\.evidence) == [.correction, .votes, .kept])
        #expect(pairs.map(\.chosen) == ["so it is", "because", "because"])
        #expect(pairs.map(\.rejected) == ["\"so\"\n", "no idea", "ask him"])
        #expect(pairs[0].context.map(\.text) == ["why", "because", "so"])
        #expect(pairs[1].context.map(\.text) == ["why"])
    }

    @Test("lines to the letter")
    func lines() throws {
        let context = [Turn(.human, "why"), Turn(.bot, "because")]
        #expect(
            TrainingLine.languageModeling(context, reply: "so")
                == #"{"messages":[{"role":"user","content":"why"},{"role":"assistant","content":"because"},{"role":"assistant","content":"so"}]}"#
        )
        #expect(
            TrainingLine.promptCompletion([context[0]], reply: "so")
                == #"{"prompt":[{"role":"user","content":"why"}],"completion":[{"role":"assistant","content":"so"}]}"#)
        #expect(
            TrainingLine.unpaired([context[0]], reply: "so", isGood: false)
                == #"{"prompt":[{"role":"user","content":"why"}],"completion":[{"role":"assistant","content":"so"}],"label":false}"#
        )
        #expect(
            TrainingLine.openAISupervised(context, reply: "so")
                == #"{"messages":[{"role":"user","content":"why"},{"role":"assistant","content":"because","weight":0},{"role":"assistant","content":"so","weight":1}]}"#
        )
        let pair = tree.replyPairs[1]
        #expect(
            TrainingLine.preference(pair)
                == #"{"prompt":[{"role":"user","content":"why"}],"chosen":[{"role":"assistant","content":"because"}],"rejected":[{"role":"assistant","content":"no idea"}]}"#
        )
        #expect(
            TrainingLine.openAIPreference(pair)
                == #"{"input":{"messages":[{"role":"user","content":"why"}]},"preferred_output":[{"role":"assistant","content":"because"}],"non_preferred_output":[{"role":"assistant","content":"no idea"}]}"#
        )
        // And back.
        let back = try withFile(TrainingLine.openAIPreference(pair)) {
            try LogFormat.openAI.reader(of: $0).readAll().conversations
        }
        #expect(back.first?.replyPairs.map(\.chosen) == ["because"])
    }

    @Test("a release: what BB3x's schema can say comes back, and nothing else is in it")
    func release() throws {
        let known: Set<String> = [
            "text", "sender", "bot_message_id", "human_message_id", "is_liked", "is_disliked", "dislike_type",
            "memories",
            "memory_decision", "memory_knowledge", "search_decision", "search_query", "search_knowledge",
            "search_knowledge_doc_titles", "search_knowledge_doc_content", "search_knowledge_doc_urls",
            "is_safety_controlled_response", "previous_interaction_failure", "from_model_crash", "is_dislike_feedback",
            "annotations",
        ]
        var random = RandomConversation(seed: 21)
        var messages = 0
        for index in 0..<150 {
            var given = random.conversation(index: index)
            given.messages.removeAll { $0.parentID != nil }
            if given.messages.isEmpty { continue }
            let line = BB3xEncoder.line(of: given)
            guard case .object(let fields) = try JSONValue(parsing: line),
                case .array(let history)? = fields["message_history"]
            else {
                Issue.record("no conversation")
                continue
            }
            #expect(Set(fields.keys) == ["user_pseudo_id", "chat_id", "message_history"])
            for case .object(let message) in history { #expect(known.isSuperset(of: message.keys)) }
            let read = try withFile(line) { try LogFormat.bb3x.reader(of: $0).readAll() }
            #expect(read.skipped.isEmpty)
            let back = try #require(read.conversations.first)
            #expect(back.id == given.id && back.userID == given.userID && back.consent == .release)
            #expect(back.messages.count == given.messages.count)
            for (a, b) in zip(back.messages, given.messages) {
                messages += 1
                let isSame =
                    a.id == b.id && a.sender == b.sender && a.text == b.text
                    && (b.sender == .human || a.isSafetyControlled == b.isSafetyControlled)
                #expect(isSame)
                if b.sender == .bot {
                    let rating = b.feedback.first { $0.userID == given.userID }?.rating
                    #expect(a.feedback.first { $0.userID == given.userID }?.rating == rating)
                    #expect(a.search?.query == b.search?.query && a.memory == b.memory)
                }
            }
        }
        #expect(messages > 300)
    }

    @Test("MinHash estimates what texts have in common")
    func minHash() {
        let words = (0..<400).map { "word\($0 * 7919 % 1009)" }
        let hash = MinHash()
        let whole = hash.signature(of: words.joined(separator: " "))
        #expect(hash.similarity(whole, hash.signature(of: words.joined(separator: "  ").uppercased() + "!")) == 1)
        #expect(hash.similarity(whole, hash.signature(of: "something else altogether, with other words")) < 0.1)
        // The first 300 words of 400: 298 of 398 triples in common.
        let most = hash.signature(of: words.prefix(300).joined(separator: " "))
        #expect(abs(hash.similarity(whole, most) - 298.0 / 398) < 0.19)
        #expect(hash.signature(of: "") == hash.signature(of: " .,! "))
    }

    @Test("copies, spam and empty conversations are left out and counted; the first of copies stays")
    func cleaning() {
        func said(_ texts: [String]) -> Conversation {
            Conversation(
                id: texts.first ?? "", userID: "u",
                messages: texts.enumerated().map { Message(id: "\($0)", sender: .human, text: $1) })
        }
        let story = (0..<60).map { "part \($0) of the long story that i tell" }
        var cleaner = ConversationCleaner()
        func keeps(_ conversation: Conversation) -> Bool { cleaner.keeps(conversation) }
        #expect(keeps(said(story)))
        #expect(!keeps(said(story.map { $0.uppercased() } + ["bye"])))
        #expect(keeps(said(story.map { String($0.reversed()) })))
        #expect(!keeps(said(["buy now", "buy now", "BUY NOW ", "hi", "buy now"])))
        #expect(keeps(said(["ok", "yes", "ok", "no", "ok", "well"])))
        #expect(!keeps(said([String(repeating: "a", count: 50)])))
        #expect(!keeps(said(["/start", " "])))
        #expect(!keeps(said([])))
        #expect(cleaner.counts == [.nearDuplicate: 1, .spam: 2, .noHuman: 2])
    }

    @Test("splits as people write them")
    func splits() throws {
        let split = try UserSplit(parsing: "train=.9, valid=.05,test=0.05")
        #expect(split.parts.map(\.name) == ["train", "valid", "test"])
        #expect(split.parts.map(\.share) == [0.9, 0.05, 0.05])
        for bad in ["", "train", "train=x", "../x=1", "a=.6,b=.6", "a=.1,a=.2"] {
            #expect(throws: UserSplit.Invalid.self) { try UserSplit(parsing: bad) }
        }
    }

    @Test("a log read on several processors comes out as the plain reader has it")
    func mapped() async throws {
        var random = RandomConversation(seed: 4)
        var lines: [String] = []
        // Some megabytes, so that there are several batches; some lines are bad, some ids come twice.
        for index in 0..<3000 {
            lines.append(random.conversation(index: index % 2800).jsonLine)
            if index % 97 == 0 { lines.append(index % 2 == 0 ? "{\"chat_id\":" : "") }
        }
        let text = lines.joined(separator: "\n")
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-mapped-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "log.jsonl")
        try Data(text.utf8).write(to: file)
        let plain = try LogFormat.loam.reader(of: file).readAll()
        let log = try LogFormat.loam.mapped(file) { $0 }
        var (conversations, skipped): ([Conversation], [SkipReason]) = ([], [])
        var batches = 0
        while let batch = try await log.next() {
            batches += 1
            for event in batch {
                switch event {
                case .value(let conversation): conversations.append(conversation)
                case .skipped(let reason): skipped.append(reason)
                }
            }
        }
        #expect(batches > 2)
        let isSame = conversations == plain.conversations && skipped == plain.skipped
        #expect(isSame)
        #expect(skipped.count { $0.code == .duplicate } > 100)
        let strict = try LogFormat.loam.mapped(file, options: LogReadingOptions(isStrict: true)) { $0.id }
        await #expect(throws: LogError.self) { while try await strict.next() != nil {} }
        try Data().write(to: file)
        let empty = try LogFormat.loam.mapped(file) { $0.id }
        let error = await #expect(throws: LogError.self) { try await empty.next() }
        #expect(error?.code == .emptyFile)
    }
}
