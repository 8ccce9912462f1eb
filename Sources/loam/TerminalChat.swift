import Conversations
import Dialogue
import Foundation
import Storage

/// A conversation in the terminal: what is said goes to the agent, what is thought of it to the store.
struct TerminalChat {
    let agent: DialogueAgent
    let store: any ConversationStore
    var sampling: Sampling

    func run() async throws {
        let stamp = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let user = "terminal-\(ProcessInfo.processInfo.userName)"
        var conversation = Conversation(
            id: "t-\(stamp)", userID: user, consent: .improve, startedAt: Date(), source: "terminal")
        try await store.save(conversation)
        print(
            "What is said here is kept in the store and may train the next model. /good  /bad WHY  /say BETTER REPLY  /undo  /quit"
        )
        var isAsked = false
        while let line = prompt("you> ") {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty { continue }
            let lastReply = conversation.messages.lastIndex { $0.sender == .bot }
            switch text.split(separator: " ", maxSplits: 1).first.map(String.init) {
            case "/quit", "/exit": return
            case "/good":
                isAsked = false
                try await record(
                    Feedback(userID: user, rating: .like, givenAt: Date()), at: lastReply, in: &conversation)
            case "/bad":
                let why = text.dropFirst(4).trimmingCharacters(in: .whitespaces)
                let known = DislikeReason.offered.first { $0.rawValue == why.replacingOccurrences(of: " ", with: "_") }
                try await record(
                    Feedback(
                        userID: user, rating: .dislike, reasons: known.map { [$0] } ?? [],
                        comment: known == nil && !why.isEmpty ? why : nil, givenAt: Date()), at: lastReply,
                    in: &conversation)
                isAsked = lastReply != nil
                if isAsked { print("bot> What should I have said? (an empty line skips)") }
            case "/say":
                let better = text.dropFirst(4).trimmingCharacters(in: .whitespaces)
                if !better.isEmpty { try await correct(better, at: lastReply, user: user, in: &conversation) }
            case "/undo":
                guard let lastReply else { break }
                conversation.messages[lastReply].feedback = []
                try await store.retractFeedback(of: user, on: conversation.messages[lastReply].id, in: conversation.id)
                print("taken back")
            default:
                if isAsked {
                    // The answer to our question is feedback on the reply, not a turn of small talk.
                    isAsked = false
                    try await correct(text, at: lastReply, user: user, in: &conversation)
                    continue
                }
                try await talk(text, in: &conversation)
            }
        }
    }

    private func talk(_ text: String, in conversation: inout Conversation) async throws {
        let said = Message(id: "m\(conversation.messages.count)", sender: .human, text: text, sentAt: Date())
        conversation.messages.append(said)
        try await store.append(said, to: conversation.id)
        var sampling = sampling
        sampling.seed &+= UInt64(conversation.messages.count)
        var answer = try await agent.reply(to: conversation, sampling: sampling, onPiece: nil).message
        answer.id = "m\(conversation.messages.count)"
        answer.sentAt = Date()
        conversation.messages.append(answer)
        try await store.append(answer, to: conversation.id)
        print("bot> \(answer.text)")
    }

    private func record(_ feedback: Feedback, at place: Int?, in conversation: inout Conversation) async throws {
        guard let place else {
            print("there is no reply yet")
            return
        }
        conversation.messages[place].feedback = [feedback]
        try await store.setFeedback(feedback, on: conversation.messages[place].id, in: conversation.id)
        print("noted")
    }

    private func correct(_ better: String, at place: Int?, user: String, in conversation: inout Conversation)
        async throws
    {
        guard let place else {
            print("there is no reply yet")
            return
        }
        var feedback = conversation.messages[place].feedback.first ?? Feedback(userID: user, rating: .dislike)
        feedback.correction = better
        feedback.givenAt = Date()
        try await record(feedback, at: place, in: &conversation)
    }

    private func prompt(_ text: String) -> String? {
        FileHandle.standardOutput.write(Data(text.utf8))
        return readLine()
    }
}
