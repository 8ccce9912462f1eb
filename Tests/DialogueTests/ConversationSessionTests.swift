import Conversations
import Dialogue
import Foundation
import Testing

@Suite("Dialogue: the session")
struct ConversationSessionTests {
    private let now = Date(timeIntervalSince1970: 100)

    private func session() -> ConversationSession { ConversationSession(talk("Hello", "Go away.")) }

    private func dislike(_ correction: String? = nil, reasons: [DislikeReason] = []) -> Feedback {
        Feedback(userID: "ann", rating: .dislike, reasons: reasons, correction: correction, givenAt: now)
    }

    @Test("What is said is stored and answered")
    func turn() {
        var session = ConversationSession(Conversation(id: "c", userID: "ann"))
        #expect(session.handle(.said("  "), id: "a", at: now) == [])
        let said = Message(id: "a", sender: .human, text: "Hello", sentAt: now)
        #expect(session.handle(.said(" Hello\n"), id: "a", at: now) == [.append(said), .generate])
        #expect(session.state == .awaitingReply)
        // While the reply is written nothing else begins.
        #expect(session.handle(.said("More"), id: "x", at: now) == [.tell("The last reply is still being written.")])
        #expect(session.handle(.thumb(.like, reasons: [], comment: nil), id: "x", at: now).count == 1)
        let reply = Message(id: "b", sender: .bot, text: "Hi", sentAt: now)
        #expect(
            session.handle(.replied(Message(id: "", sender: .bot, text: "Hi")), id: "b", at: now) == [.append(reply)])
        #expect(session.state == .ready && session.conversation.messages == [said, reply])
        // A reply that nobody waits for is dropped.
        #expect(session.handle(.replied(reply), id: "c", at: now) == [])
        #expect(session.conversation.messages.count == 2)
    }

    @Test("A reply that fails leaves the session ready")
    func failed() {
        var session = session()
        _ = session.handle(.said("Why?"), id: "a", at: now)
        #expect(session.handle(.failed, id: "", at: now) == [])
        #expect(session.state == .ready && session.conversation.messages.count == 3)
    }

    @Test("After a thumb down the next text is feedback and not a turn")
    func correction() {
        var session = session()
        let down = session.handle(.thumb(.dislike, reasons: [.inappropriate], comment: " "), id: "x", at: now)
        let feedback = dislike(reasons: [.inappropriate])
        #expect(down.first == .setFeedback(feedback, messageID: "m1") && down.count == 2)
        guard case .ask = down.last else {
            Issue.record("no question was asked")
            return
        }
        #expect(session.state == .awaitingCorrection(messageID: "m1"))
        let said = Message(id: "a", sender: .human, text: "Hello to you", sentAt: now, isDislikeFeedback: true)
        let corrected = dislike("Hello to you", reasons: [.inappropriate])
        #expect(
            session.handle(.said("Hello to you"), id: "a", at: now)
                == [.append(said), .setFeedback(corrected, messageID: "m1")])
        #expect(session.state == .ready)
        #expect(session.conversation.messages[1].feedback == [corrected])
        #expect(session.conversation.turns(before: 3) == [Turn(.human, "Hello"), Turn(.bot, "Go away.")])
        // The correction is known: another thumb down keeps it and asks no more.
        #expect(
            session.handle(.thumb(.dislike, reasons: [], comment: nil), id: "x", at: now)
                == [.setFeedback(dislike("Hello to you"), messageID: "m1")])
        // And the next text is a turn again.
        #expect(session.handle(.said("So?"), id: "b", at: now).last == .generate)
    }

    @Test("An empty line or /skip declines", arguments: ["", "  ", "/skip", "/SKIP "])
    func declined(text: String) {
        var session = session()
        _ = session.handle(.thumb(.dislike, reasons: [], comment: nil), id: "x", at: now)
        #expect(session.handle(.said(text), id: "a", at: now) == [])
        #expect(session.state == .ready)
        #expect(session.conversation.messages.count == 2 && session.conversation.messages[1].feedback == [dislike()])
    }

    @Test("A thumb up replaces a thumb down and its question")
    func changedMind() {
        var session = session()
        _ = session.handle(.thumb(.dislike, reasons: [.spam], comment: nil), id: "x", at: now)
        let like = Feedback(userID: "ann", rating: .like, comment: "Well put", givenAt: now)
        #expect(
            session.handle(.thumb(.like, reasons: [.spam], comment: "Well put"), id: "x", at: now)
                == [.setFeedback(like, messageID: "m1")])
        #expect(session.state == .ready && session.conversation.messages[1].feedback == [like])
    }

    @Test("A correction unasked is a thumb down with it")
    func unasked() {
        var session = session()
        _ = session.handle(.thumb(.like, reasons: [], comment: nil), id: "x", at: now)
        #expect(
            session.handle(.correction(" Hello "), id: "x", at: now)
                == [.setFeedback(dislike("Hello"), messageID: "m1")])
        #expect(session.handle(.correction(" "), id: "x", at: now) == [])
    }

    @Test("Undo takes back the person's own feedback only")
    func undo() {
        var conversation = talk("Hello", "Go away.")
        let other = Feedback(userID: "ben", rating: .like)
        conversation.messages[1].feedback = [other]
        var session = ConversationSession(conversation)
        #expect(session.handle(.undo, id: "x", at: now) == [.tell("There is no feedback to take back.")])
        _ = session.handle(.thumb(.dislike, reasons: [], comment: nil), id: "x", at: now)
        #expect(session.handle(.undo, id: "x", at: now) == [.retract(messageID: "m1"), .tell("Taken back.")])
        #expect(session.state == .ready && session.conversation.messages[1].feedback == [other])
    }

    @Test("Without a reply there is nothing to judge")
    func nothing() {
        var session = ConversationSession(Conversation(id: "c", userID: "ann"))
        for event in [ConversationSession.Event.thumb(.dislike, reasons: [], comment: nil), .correction("x")] {
            #expect(session.handle(event, id: "x", at: now) == [.tell("There is no reply to judge yet.")])
        }
        #expect(session.state == .ready)
    }
}
