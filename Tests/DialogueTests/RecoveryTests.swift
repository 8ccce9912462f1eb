import Conversations
import Dialogue
import Foundation
import Testing

@Suite("Dialogue: complaints and recovery")
struct RecoveryTests {
    private let sampling = Sampling(temperature: 0.7, seed: 4)
    private let now = Date(timeIntervalSince1970: 1_700_000_000)

    @Test(
        "complaints by their words",
        arguments: [
            ("You already said that.", "repeating"), ("that was rude!", "inappropriate"),
            ("That’s not what I asked", "off_topic"), ("that makes no sense at all", "nonsensical"),
            ("you're wrong", "nonsensical"), ("My boss said that was rude", nil), ("That's not wrong", nil),
            ("I like jazz", nil), ("What is wrong with cars these days?", nil), ("", nil),
            ("He said you're wrong about me and I cried", nil),
        ] as [(String, String?)])
    func complaints(text: String, reason: String?) {
        #expect(Complaint(text)?.reason.rawValue == reason)
    }

    @Test("a complaint is acknowledged and asked about; the answer is feedback and no turn of the talk")
    func recovery() async throws {
        let generator = ScriptedGenerator(["Let us talk about tea."])
        let agent = DialogueAgent(generator: generator, makeID: { "r" })
        var conversation = talk("When does the shop open?", "I like tea.", "That's not what I asked.")
        let sorry = try await agent.reply(to: conversation, sampling: sampling)
        #expect(generator.calls.isEmpty)
        #expect(sorry.message.asksAbout == "m1")
        #expect(CannedReplies().toComplaints.contains(sorry.message.text))
        #expect(sorry.message.isCanned && !sorry.message.isSafetyControlled)

        conversation.messages.append(sorry.message)
        #expect(FeedbackQuestion.target(of: "You should have said: at nine", in: conversation) == "m1")
        for text in ["never mind", "What is the capital of France?", "", "Let's talk about music"] {
            #expect(FeedbackQuestion.target(of: text, in: conversation) == nil)
        }
        let feedback = FeedbackQuestion.feedback(answer: "You should have said: at nine", on: "m1", in: conversation)
        #expect(
            feedback == Feedback(userID: "ann", rating: .dislike, reasons: [.offTopic], correction: "at nine"))
        // A remark must not become a reply to train on.
        let remark = FeedbackQuestion.feedback(answer: "anything about the shop", on: "m1", in: conversation)
        #expect(remark.correction == nil && remark.comment == "anything about the shop")

        conversation.messages.append(
            Message(id: "f", sender: .human, text: "You should have said: at nine", isDislikeFeedback: true))
        let thanks = try await agent.reply(to: conversation, sampling: sampling)
        #expect(thanks.message.text == CannedReplies().toFeedback && thanks.message.asksAbout == nil)
        #expect(thanks.message.isCanned && !thanks.message.isSafetyControlled)
        #expect(generator.calls.isEmpty)
    }

    /// Finds that somebody speaks of dying, as the layer that listens for self-harm does, and spiders bad.
    private struct HelpCheck: SafetyCheck {
        func check(person text: String, context: [Turn]) async throws -> SafetyOutcome {
            let needsHelp = text.contains("want to die")
            let isUnsafe = needsHelp || text.contains("spider")
            return SafetyOutcome(
                decisions: [
                    SafetyDecision(
                        layer: "self_harm_matcher", isUnsafe: needsHelp, category: needsHelp ? "self_harm" : nil),
                    SafetyDecision(layer: "string_matcher", isUnsafe: text.contains("spider")),
                ], isUnsafe: isUnsafe, cannedReply: isUnsafe ? "Please call somebody." : nil)
        }

        func check(reply text: String, context: [Turn]) async throws -> SafetyOutcome { SafetyOutcome() }
    }

    @Test(
        "whoever speaks of hurting themselves in answer to the question gets help and no thanks",
        arguments: [
            ("You should have noticed that I want to die.", true), ("You should have said: a spider", false),
            ("You should have said: at nine", false),
        ])
    func helpBeforeThanks(text: String, getsHelp: Bool) async throws {
        let generator = ScriptedGenerator(["Let us talk about tea."])
        let agent = DialogueAgent(generator: generator, safety: HelpCheck(), makeID: { "r" })
        var conversation = talk("When does the shop open?", "I like tea.", "That's not what I asked.")
        conversation.messages.append(
            Message(id: "m3", sender: .bot, text: "Sorry. What would have been better?", asksAbout: "m1"))
        conversation.messages.append(Message(id: "f", sender: .human, text: text, isDislikeFeedback: true))
        let answer = try await agent.reply(to: conversation, sampling: sampling)
        #expect(answer.message.text == (getsHelp ? "Please call somebody." : CannedReplies().toFeedback))
        #expect(answer.message.isSafetyControlled == getsHelp)
        #expect(answer.message.interactionFailure == (getsHelp ? "unsafe_Human" : nil))
        // What the layers say of the words belongs to the words, whatever is answered.
        #expect(answer.personDecisions.count == 2)
        #expect(generator.calls.isEmpty)
    }

    @Test("in a session: complaint, question, answer, thanks, and on with the talk")
    func session() {
        var session = ConversationSession(talk("When does the shop open?", "I like tea."))
        _ = session.handle(.said("That's not what I asked."), id: "m2", at: now)
        let question = Message(id: "m3", sender: .bot, text: "Sorry. What would have been better?", asksAbout: "m1")
        _ = session.handle(.replied(question), id: "x", at: now)
        #expect(session.state == .awaitingAnswer(messageID: "m1"))
        let effects = session.handle(.said("You should have said: at nine"), id: "m4", at: now)
        let feedback = Feedback(
            userID: "ann", rating: .dislike, reasons: [.offTopic], correction: "at nine", givenAt: now)
        #expect(
            effects == [
                .append(
                    Message(
                        id: "m4", sender: .human, text: "You should have said: at nine", sentAt: now,
                        isDislikeFeedback: true)),
                .setFeedback(feedback, messageID: "m1"), .generate,
            ])
        #expect(session.state == .awaitingReply)
        #expect(session.conversation.messages[1].feedback == [feedback])

        // Who does not answer goes on.
        var other = ConversationSession(talk("When does the shop open?", "I like tea."))
        _ = other.handle(.said("That's not what I asked."), id: "m2", at: now)
        _ = other.handle(.replied(question), id: "x", at: now)
        let next = other.handle(.said("What is the capital of France?"), id: "m4", at: now)
        #expect(next.last == .generate && next.count == 2)
        #expect(other.conversation.messages.last?.isDislikeFeedback == false)
        #expect(other.conversation.messages.allSatisfy { $0.feedback.isEmpty })
    }

    @Test("a person may disagree with a verdict: that is feedback too, and no thumb")
    func verdict() {
        var conversation = talk("you spider", "Let us talk about tea.")
        conversation.messages[1].isSafetyControlled = true
        var session = ConversationSession(conversation)
        let effects = session.handle(.verdict(agrees: false), id: "x", at: now)
        let feedback = Feedback(userID: "ann", reasons: [.disagreesSensitive], givenAt: now)
        #expect(effects == [.setFeedback(feedback, messageID: "m1")])
        #expect(feedback.rating == nil && feedback.reasons[0].rawValue == "disagree_sensitive")
        var other = ConversationSession(talk("hi", "hello"))
        #expect(
            other.handle(.verdict(agrees: true), id: "x", at: now) == [
                .tell("The last reply was not given for safety.")
            ])
    }

    @Test("faults of generated dialogues are counted by kind")
    func faults() {
        var counts = ReplyFaultCounts()
        counts.add(
            talk(
                "My name is Ann.", "My name is Ann.", "No, that is me. I live in Leeds with my cat.",
                "I live in Leeds with my cat.", "What do you like?", "I like walking by the river at night.", "And?",
                "I like walking by the river at night!", "Hm",
                "and then and then and then and then and then and then and then"))
        #expect(counts.replies == 5)
        #expect(counts.counts == [.takesPersonsPart: 2, .repeatsItself: 1, .loops: 1])
        #expect(counts.share(of: .takesPersonsPart) == 0.4)
    }
}
