import Conversations
import Dialogue
import Foundation
import Storage

/// A conversation in the terminal: lines become events of a `ConversationSession`, its effects go to the agent, the store
/// and the screen.
struct TerminalChat {
    let agent: DialogueAgent
    let store: any ConversationStore
    var sampling: Sampling

    func run() async throws {
        let stamp = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let conversation = Conversation(
            id: "t-\(stamp)", userID: "terminal-\(ProcessInfo.processInfo.userName)", consent: .improve,
            startedAt: Date(), source: "terminal")
        try await store.save(conversation)
        var session = ConversationSession(conversation)
        print(
            "What is said here is kept in the store and may train the next model. /good  /bad WHY  /say BETTER REPLY  /undo  /quit"
        )
        while let line = prompt("you> "), let command = Self.command(line) {
            var waiting = [command]
            while !waiting.isEmpty {
                let event = waiting.removeFirst()
                for effect in session.handle(event, id: "m\(session.conversation.messages.count)", at: Date()) {
                    if let next = try await carryOut(effect, in: session.conversation) { waiting.append(next) }
                }
            }
        }
    }

    /// What a line means; `nil` ends the chat.
    static func command(_ line: String) -> ConversationSession.Event? {
        let text = line.trimmingCharacters(in: .whitespaces)
        let word = text.split(separator: " ", maxSplits: 1).first.map(String.init) ?? ""
        let rest = text.dropFirst(word.count).trimmingCharacters(in: .whitespaces)
        switch word {
        case "/quit", "/exit": return nil
        case "/good": return .thumb(.like, reasons: [], comment: nil)
        case "/bad":
            let name = rest.replacingOccurrences(of: " ", with: "_")
            let reason = DislikeReason.offered.first { $0.rawValue == name }
            return .thumb(.dislike, reasons: reason.map { [$0] } ?? [], comment: reason == nil ? rest : nil)
        case "/say": return .correction(rest)
        case "/undo": return .undo
        default: return .said(text)
        }
    }

    /// Does what the session asks for; gives the event that comes of it.
    private func carryOut(_ effect: ConversationSession.Effect, in conversation: Conversation) async throws
        -> ConversationSession.Event?
    {
        switch effect {
        case .append(let message):
            try await store.append(message, to: conversation.id)
            if message.sender == .bot { print("bot> \(message.text)") }
        case .generate: return try await reply(to: conversation)
        case .setFeedback(let feedback, let messageID):
            try await store.setFeedback(feedback, on: messageID, in: conversation.id)
            print("noted")
        case .retract(let messageID):
            try await store.retractFeedback(of: conversation.userID, on: messageID, in: conversation.id)
        case .ask(let question): print("bot> \(question)")
        case .tell(let text): print(text)
        }
        return nil
    }

    private func reply(to conversation: Conversation) async throws -> ConversationSession.Event {
        var sampling = sampling
        sampling.seed &+= UInt64(conversation.messages.count)
        do {
            let answer = try await agent.reply(to: conversation, sampling: sampling, onPiece: nil)
            if let said = conversation.messages.last, !answer.personDecisions.isEmpty {
                try await store.setSafety(answer.personDecisions, on: said.id, in: conversation.id)
            }
            var message = answer.message
            // The session numbers messages by their place.
            message.id = ""
            return .replied(message)
        } catch let error where !(error is CancellationError) {
            print("The model could not answer: \(error)")
            return .failed
        }
    }

    private func prompt(_ text: String) -> String? {
        FileHandle.standardOutput.write(Data(text.utf8))
        return readLine()
    }
}
