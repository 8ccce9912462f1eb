import Conversations

/// Conversations of people who asked that nothing be kept: in memory only, bounded. Those in which nothing was said go
/// first, so that nobody ends other people's talks by beginning many of their own; then the longest untouched.
struct UnkeptConversations: Sendable {
    private let limit: Int
    private var byID: [String: (conversation: Conversation, touched: Int)] = [:]
    private var clock = 0

    init(limit: Int) { self.limit = max(1, limit) }

    subscript(id: String) -> Conversation? { byID[id]?.conversation }

    mutating func put(_ conversation: Conversation) {
        clock += 1
        byID[conversation.id] = (conversation, clock)
        guard byID.count > limit else { return }
        // The one that was just put is in use, said something or not.
        let others = byID.filter { $0.key != conversation.id }
        let empty = others.filter { $0.value.conversation.messages.isEmpty }
        if let oldest = (empty.isEmpty ? others : empty).min(by: { $0.value.touched < $1.value.touched }) {
            byID[oldest.key] = nil
        }
    }

    /// Changes a conversation in place; nothing happens when it is not here.
    mutating func change(_ id: String, _ body: (inout Conversation) -> Void) {
        guard var conversation = self[id] else { return }
        body(&conversation)
        put(conversation)
    }

    mutating func remove(_ id: String) { byID[id] = nil }

    func of(_ userID: String) -> [Conversation] {
        byID.values.map(\.conversation).filter { $0.userID == userID }
    }
}
