import Conversations
import Foundation
import Testing

/// The traps of the release, in a made-up conversation.
@Suite("BB3x logs")
struct BB3xTests {
    static let line = #"""
        {"user_pseudo_id": "p-1", "chat_id": "k-1", "cookie": 3, "message_history": [
        {"text": "Hello there", "sender": "Human", "human_message_id": "h1", "annotations": {"safety": {"duo_safety": "__ok__", " string_matcher": "__notok__"}}},
        {"text": "I bake bread.", "sender": "Chatbot", "human_message_id": "b1", "isLiked": false, "isDisliked": true, "dislike_type": "Off Topic", "memories": ["Person 1's Persona: I bake."], "memory_decision": null, "search_decision": "search", "search_query": "bread", "search_knowledge_doc_titles": ["A", null], "search_knowledge_doc_content": ["a"], "search_knowledge_doc_urls": null, "annotations": {"reward": "Predicted class: __not_ok__, probability: 0.8125.", "mturk": {"off topic": 2, "good": 1}}},
        {"text": "You should have said: hello to you too!", "sender": "HUMAN", "isDislikeFeedback": true},
        {"text": "Sorry!", "sender": "bot", "bot_message_id": "b2", "is_liked": null, "isSafetyControlledResponse": true, "previous_interaction_failure": "unsafe_something_new", "dislike_type": "agree_sensitive", "from_model_crash": false, "safety": {"duo_safety": "__perhaps__"}, "reward": "no idea"},
        {"text": null, "bot_message_id": "b2", "is_liked": true, "is_disliked": true},
        {"text": "Bye", "sender": " user ", "human_message_id": 17, "mood": "fine"}
        ]}
        """#.replacingOccurrences(of: "\n", with: " ")

    private func read(_ text: String) throws -> [Conversation] {
        try withFile(text, named: "release_data_00.jsonl") { file in
            try LogFormat.bb3x.reader(of: file, options: LogReadingOptions(isStrict: true)).readAll().conversations
        }
    }

    @Test("both spellings, both names of the sender, nulls, values that nobody published")
    func traps() throws {
        let conversation = try #require(try read(Self.line).first)
        #expect(conversation.id == "k-1")
        #expect(conversation.userID == "p-1")
        #expect(conversation.consent == .release)
        #expect(conversation.source == "bb3x:release_data_00.jsonl")
        #expect(conversation.extra == ["cookie": .number(3)])
        let messages = conversation.messages
        try #require(messages.count == 6)
        #expect(messages.map(\.sender) == [.human, .bot, .human, .bot, .bot, .human])
        // A bot's id in the person's field, a missing id, a repeated one, a number.
        #expect(messages.map(\.id) == ["h1", "b1", "m2", "b2", "b2-2", "17"])
        // A key with a space before it, in the order of the layers.
        #expect(
            messages[0].safety == [
                SafetyDecision(layer: "duo_safety", isUnsafe: false),
                SafetyDecision(layer: "string_matcher", isUnsafe: true),
            ])
        #expect(
            messages[1].annotations == [
                Annotation(source: "reward", label: "__not_ok__", value: 0.8125),
                Annotation(source: "mturk", label: "good", value: 1),
                Annotation(source: "mturk", label: "off topic", value: 2),
            ])
        #expect(
            messages[1].search
                == SearchRecord(
                    decision: "search", query: "bread",
                    documents: [
                        SearchDocument(title: "A", content: "a", url: ""),
                        SearchDocument(title: "", content: "", url: ""),
                    ]))
        #expect(messages[1].memory == MemoryRecord(memories: ["Person 1's Persona: I bake."]))
        // The text about the reply became its correction; the message stays, flagged.
        #expect(
            messages[1].feedback == [
                Feedback(userID: "p-1", rating: .dislike, reasons: [.offTopic], correction: "hello to you too!")
            ])
        #expect(messages[2].isDislikeFeedback)
        #expect(messages[3].isCanned)
        #expect(messages[3].interactionFailure == "unsafe_something_new")
        #expect(messages[3].feedback == [Feedback(userID: "p-1", reasons: [.unknown("agree_sensitive")])])
        #expect(messages[3].safety == [SafetyDecision(layer: "duo_safety", isUnsafe: true, category: "__perhaps__")])
        #expect(messages[3].extra == ["from_model_crash": .bool(false), "reward": .string("no idea")])
        // No sender: the id's field tells. No text: it keeps its place. Both thumbs: no vote, kept as they came.
        #expect(messages[4].text == "")
        #expect(messages[4].feedback.isEmpty)
        #expect(messages[4].extra == ["is_liked": .bool(true), "is_disliked": .bool(true)])
        #expect(messages[5].extra == ["mood": .string("fine")])
    }

    @Test("missing ids are made from the record, the same in every run")
    func missingIDs() throws {
        let text =
            #"{"messageHistory":[{"sender":"bot","text":"hi"}]}"# + "\n"
            + #"{"message_history":[{"sender":"bot","text":"ho"}]}"#
        let first = try read(text)
        #expect(try read(text) == first)
        #expect(first.count == 2)
        #expect(Set(first.map(\.id)).count == 2)
        #expect(first.allSatisfy { $0.id.hasPrefix("bb3x-") && $0.id.count == 37 })
        #expect(first.allSatisfy { $0.userID == "anonymous-\($0.id)" })
    }

    @Test(
        "sentences of the reward model",
        arguments: [
            ("__ok__ 0.93", "__ok__", 0.93), ("class '__notok__' with probability 97.5%", "__not_ok__", 0.975),
            ("__not_ok__", "__not_ok__", nil), ("p=1e-3, __ok__", "__ok__", 0.001),
        ] as [(String, String, Double?)])
    func reward(_ sentence: String, _ label: String, _ value: Double?) throws {
        let text = #"{"message_history":[{"sender":"bot","text":"hi","reward":"\#(sentence)"}]}"#
        #expect(
            try read(text).first?.messages.first?.annotations == [
                Annotation(source: "reward", label: label, value: value)
            ])
    }

    @Test(
        "what a person wrote about a reply: the better reply when it says so, else a comment",
        arguments: [
            ("a better reply would be \"Paris\"", nil, "Paris"), ("Say: good morning", nil, "good morning"),
            ("say something nicer", "say something nicer", nil), ("I asked about trains", "I asked about trains", nil),
            ("You should have said", "You should have said", nil), ("sayings are nice", "sayings are nice", nil),
        ] as [(String, String?, String?)])
    func feedbackText(_ text: String, _ comment: String?, _ correction: String?) throws {
        let line = JSONValue.object([
            "message_history": .array([
                .object(["sender": .string("bot"), "text": .string("x"), "is_disliked": .bool(true)]),
                .object(["sender": .string("bot"), "text": .string("What went wrong?")]),
                .object([
                    "sender": .string("human"), "text": .string(text), "is_dislike_feedback": .bool(true),
                ]),
            ])
        ])
        let messages = try #require(try read(line.text).first?.messages)
        let feedback = try #require(messages.first?.feedback.first)
        #expect(feedback.rating == .dislike)
        #expect(feedback.comment == comment)
        #expect(feedback.correction == correction)
        #expect(messages[1].feedback.isEmpty)
    }
}
