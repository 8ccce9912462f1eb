import Foundation

/// What a person wrote about a reply that they disliked: in BB3 the bot then asks what it should have done, and the next
/// message is the answer.
///
/// Such a text is either the better reply itself or a remark about the bad one (the FITS kinds "better reply" and "free
/// text"). A remark taken for a reply would become a training target, so a text counts as a correction only when it says
/// so ("you should have said …"); every other is a comment.
enum FeedbackText {
    case correction(String)
    case comment(String)

    private static let leads = [
        "you should have said", "you should've said", "you should say", "you could have said", "you could have replied",
        "you should have replied", "you should have answered", "should have said", "a better reply would be",
        "a better reply would have been", "a better reply is", "a better answer would be",
        "a better answer would have been", "a better response would be", "a better response would have been",
        "better reply", "better answer", "better response", "the right answer is", "the correct answer is",
        "the correct response is", "say instead", "just say", "say",
    ]

    init(_ text: String) {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let lower = trimmed.lowercased()
        // Lowercasing may change the length of some scripts' text; the leads are ASCII, so look only where it did not.
        if lower.utf8.count == trimmed.utf8.count, let lead = Self.leads.first(where: { Self.begins(lower, with: $0) })
        {
            let rest = String(decoding: Array(trimmed.utf8.dropFirst(lead.utf8.count)), as: UTF8.self)
            let reply = rest.trimmingCharacters(in: CharacterSet(charactersIn: " \t\n\r:,-–—\"'“”‘’"))
            // "Say something nicer" is a remark; "say: hello there" is a reply.
            let isMarked = lead != "say" && lead != "just say" || rest.contains { ":\"'“‘".contains($0) }
            if !reply.isEmpty, isMarked {
                self = .correction(reply)
                return
            }
        }
        self = .comment(trimmed)
    }

    private static func begins(_ text: String, with lead: String) -> Bool {
        guard text.hasPrefix(lead) else { return false }
        let next = text.utf8.dropFirst(lead.utf8.count).first
        return next.map { !($0 >= 0x61 && $0 <= 0x7A) } ?? true
    }

    /// Adds every feedback text of a conversation to the reply that it is about: the last reply before it that the person
    /// disliked, unless an ordinary turn of theirs stands between, else simply the last reply. The message stays, flagged.
    static func attach(in messages: inout [Message], user: String) {
        for i in messages.indices where messages[i].isDislikeFeedback && messages[i].sender == .human {
            guard let target = target(of: i, in: messages) else { continue }
            let at = messages[target].feedback.firstIndex { $0.userID == user }
            var feedback = at.map { messages[target].feedback[$0] } ?? Feedback(userID: user)
            switch FeedbackText(messages[i].text) {
            case .correction(let text): feedback.correction = feedback.correction.map { $0 + "\n" + text } ?? text
            case .comment(let text):
                if text.isEmpty { continue }
                feedback.comment = feedback.comment.map { $0 + "\n" + text } ?? text
            }
            if let at { messages[target].feedback[at] = feedback } else { messages[target].feedback.append(feedback) }
        }
    }

    private static func target(of index: Int, in messages: [Message]) -> Int? {
        var last: Int?
        for i in messages.indices.prefix(index).reversed() {
            let message = messages[i]
            if message.sender == .human {
                if message.isDislikeFeedback { continue }
                break
            }
            if message.feedback.contains(where: { $0.rating == .dislike }) { return i }
            last = last ?? i
        }
        return last
    }
}
