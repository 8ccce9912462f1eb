import Conversations
import Foundation

/// A conversation as the rows that a store keeps of it: what a processor can prepare while another one writes.
public struct EncodedConversation: Sendable {
    struct Item: Sendable {
        var id: String
        var body: [UInt8]
    }

    struct Voice: Sendable {
        /// Place of the message in the conversation.
        var place: Int
        var feedback: Feedback
        var body: [UInt8]
    }

    /// A conversation's messages are numbered within this many places.
    static let places = 1 << 20

    public let id: String
    public let userID: String
    public let consent: Consent
    let startedAt: Date?
    /// Why it cannot be kept, `nil` when it can.
    let refusal: String?
    let body: [UInt8]
    let messages: [Item]
    let feedback: [Voice]
    /// Whether its log names nobody.
    let isOfNobody: Bool
    /// Models that wrote its replies.
    let models: Set<String>

    public let messageCount: Int
    public var likes: Int { feedback.count { $0.feedback.rating == .like } }
    public var dislikes: Int { feedback.count { $0.feedback.rating == .dislike } }

    public init(_ conversation: Conversation) {
        messageCount = conversation.messages.count
        id = conversation.id
        userID = conversation.userID
        consent = conversation.consent
        startedAt = conversation.startedAt
        isOfNobody = conversation.isOfNobody
        refusal = Self.refusal(of: conversation)
        guard refusal == nil, consent != .none else {
            (body, messages, feedback, models) = ([], [], [], [])
            return
        }
        var bare = conversation
        bare.messages = []
        body = Array(bare.jsonLine.utf8)
        var items: [Item] = []
        items.reserveCapacity(conversation.messages.count)
        var voices: [Voice] = []
        var models: Set<String> = []
        for (place, message) in conversation.messages.enumerated() {
            items.append(Item(id: message.id, body: Self.body(of: message, user: userID)))
            for feedback in message.feedback {
                voices.append(Voice(place: place, feedback: feedback, body: feedback.jsonText))
            }
            if let model = message.generation?.model { models.insert(model) }
        }
        messages = items
        feedback = voices
        self.models = models
    }

    /// A message's row: everything but what people said of it.
    static func body(of message: Message, user: String) -> [UInt8] {
        guard !message.feedback.isEmpty else { return message.jsonText(userID: user) }
        var bare = message
        bare.feedback = []
        return bare.jsonText(userID: user)
    }

    /// The longest id that is kept, in bytes of UTF-8. PostgreSQL's indexes take rows of about 2,700 bytes, and the longest of
    /// them has three ids.
    static let longestID = 800

    /// Why ids cannot be kept, `nil` when they can: a database ends a text at a NUL, and two ids would become one; one that is
    /// too long for an index would end a whole import.
    static func refusal(ofIDs ids: [String]) -> String? {
        if ids.contains(where: \.hasNUL) { return "an id with a NUL character" }
        return ids.contains { $0.utf8.count > longestID } ? "an id of more than \(longestID) bytes" : nil
    }

    /// Why texts that nothing is looked up by cannot be kept, `nil` when they can.
    static func refusal(ofTexts texts: [String]) -> String? {
        texts.contains(where: \.hasNUL) ? "a text with a NUL character" : nil
    }

    private static func refusal(of conversation: Conversation) -> String? {
        // Nothing is kept of it but that what is there under this id has to go, however odd its messages are.
        if conversation.consent == .none {
            let user = conversation.isOfNobody ? [] : [conversation.userID]
            return refusal(ofIDs: [conversation.id] + user)
        }
        if conversation.messages.count >= places { return "more than \(places - 1) messages" }
        // Compared as bytes, as databases do: Swift calls some different spellings equal.
        var seen: Set<String.Bytes> = []
        seen.reserveCapacity(conversation.messages.count)
        var ids = [conversation.id, conversation.userID]
        for message in conversation.messages {
            ids.append(message.id)
            for feedback in message.feedback { ids.append(feedback.userID) }
        }
        if let refusal = refusal(ofIDs: ids) { return refusal }
        for message in conversation.messages where !seen.insert(String.Bytes(message.id)).inserted {
            return "two messages have the id \(message.id)"
        }
        return nil
    }
}

extension String {
    /// Whether it holds a character at which databases end a text: nothing has such an id.
    var hasNUL: Bool { utf8.contains(0) }

    /// A text by its bytes: unlike texts themselves, two spellings of one letter differ.
    struct Bytes: Hashable {
        let text: String
        init(_ text: String) { self.text = text }
        static func == (a: Bytes, b: Bytes) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }
}
