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
    /// Whether what led to each reply is shown.
    var looksInside = false

    /// What a line means.
    enum Command: Equatable {
        case event(ConversationSession.Event)
        /// Show what is remembered.
        case memories
        /// Change the words of a memory, counted from 1 as shown.
        case edit(Int, String)
        case forget(Int)
        case forgetAll
        /// Show what led to the last reply.
        case look
        case usage(String)
        case quit
    }

    private static let commands = "/good  /bad WHY  /say BETTER REPLY  /undo  /memory  /forget N|all  /look  /quit"

    func run() async throws {
        let stamp = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let userID = "terminal-\(ProcessInfo.processInfo.userName)"
        let conversation = Conversation(
            id: "t-\(stamp)", userID: userID, consent: .improve, startedAt: Date(), source: "terminal")
        try await store.save(conversation)
        var session = ConversationSession(conversation)
        var afterwork: Task<DialogueAgent.Remembered?, Never>?
        print(
            "What is said here is kept in the store and may train the next model. \(Self.commands)")
        loop: while let line = prompt("you> ") {
            switch Self.command(line) {
            case .quit: break loop
            case .usage(let text): print(text)
            case .look: show(try await store.conversation(id: conversation.id) ?? session.conversation)
            case .memories, .edit, .forget, .forgetAll:
                _ = await afterwork?.value
                try await remembering(Self.command(line), of: userID)
            case .event(let event):
                var waiting = [event]
                while !waiting.isEmpty {
                    let event = waiting.removeFirst()
                    for effect in session.handle(event, id: "m\(session.conversation.messages.count)", at: Date()) {
                        if effect == .generate { _ = await afterwork?.value }
                        if let next = try await carryOut(effect, in: session.conversation) { waiting.append(next) }
                        guard case .append(let message) = effect, message.sender == .bot else { continue }
                        // As it is kept: the verdicts on what the person said stand there.
                        let kept = try await store.conversation(id: conversation.id)
                        if looksInside, let kept { show(kept) }
                        // The reply is out; nobody waits for what is remembered of it.
                        afterwork = remember(kept)
                        if looksInside { report(await afterwork?.value) }
                    }
                }
            }
        }
        _ = await afterwork?.value
    }

    static func command(_ line: String) -> Command {
        let text = line.trimmingCharacters(in: .whitespaces)
        let word = text.split(separator: " ", maxSplits: 1).first.map(String.init) ?? ""
        let rest = text.dropFirst(word.count).trimmingCharacters(in: .whitespaces)
        switch word {
        case "/quit", "/exit": return .quit
        case "/good": return .event(.thumb(.like, reasons: [], comment: nil))
        case "/bad":
            let name = rest.replacingOccurrences(of: " ", with: "_")
            let reason = DislikeReason.offered.first { $0.rawValue == name }
            return .event(.thumb(.dislike, reasons: reason.map { [$0] } ?? [], comment: reason == nil ? rest : nil))
        case "/say": return .event(.correction(rest))
        case "/undo": return .event(.undo)
        case "/agree": return .event(.verdict(agrees: true))
        case "/disagree": return .event(.verdict(agrees: false))
        case "/look": return .look
        case "/memory":
            guard !rest.isEmpty else { return .memories }
            let parts = rest.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, let number = Int(parts[0]) else { return .usage("/memory, or /memory N NEW WORDS") }
            return .edit(number, parts[1])
        case "/forget":
            if rest == "all" { return .forgetAll }
            return Int(rest).map(Command.forget) ?? .usage("/forget N, or /forget all")
        // Nobody greets a bot with a slash; a mistyped thumb is not to become a turn that a model learns from.
        default: return word.hasPrefix("/") ? .usage("There is no \(word). \(commands)") : .event(.said(text))
        }
    }

    // MARK: Memory

    private func remembering(_ command: Command, of userID: String) async throws {
        guard let bank = agent.memories else { return print("Nothing is remembered here (--no-memory).") }
        let memories = try await bank.memories(of: userID)
        func chosen(_ number: Int) -> Memory? {
            guard memories.indices.contains(number - 1) else {
                print("There is no memory \(number).")
                return nil
            }
            return memories[number - 1]
        }
        switch command {
        case .memories:
            if memories.isEmpty { print("Nothing is remembered.") }
            for (number, memory) in memories.enumerated() {
                let source = memory.messageID.map { " (from \($0) of \(memory.conversationID ?? ""))" } ?? ""
                print("\(number + 1). \(memory.owner == .person ? "you" : "bot"): \(memory.text)\(source)")
            }
        case .edit(let number, let text):
            guard let memory = chosen(number) else { return }
            print(try await agent.edit(memory: memory.id, of: userID, to: text) ?? "Changed.")
        case .forget(let number):
            guard let memory = chosen(number) else { return }
            _ = try await bank.forget(memory.id, of: userID)
            print("Forgotten.")
        case .forgetAll:
            try await bank.forgetAll(of: userID)
            print("All forgotten.")
        default: break
        }
    }

    private func remember(_ conversation: Conversation?) -> Task<DialogueAgent.Remembered?, Never> {
        let (agent, sampling) = (agent, sampling)
        return Task {
            guard let conversation else { return nil }
            return try? await agent.remember(after: conversation, sampling: sampling)
        }
    }

    // MARK: Looking inside

    private func show(_ conversation: Conversation) {
        guard let place = conversation.messages.lastIndex(where: { $0.sender == .bot }) else {
            return print("There is no reply to look into yet.")
        }
        let said = conversation.messages[..<place].last { $0.sender == .human }
        for line in LookInside.lines(of: conversation.messages[place], answering: said) { print("     | \(line)") }
    }

    private func report(_ remembered: DialogueAgent.Remembered??) {
        guard let remembered = remembered ?? nil else { return }
        for (change, memory) in remembered.changes {
            guard let memory else { continue }
            let what =
                switch change {
                case .add: "remembered"
                case .replace(_, let reason): "changed (\(reason.rawValue))"
                case .confirm: "known already"
                case .ignore: "ignored"
                }
            print("     | \(what): \(memory.owner.sender.rawValue): \(memory.text)")
        }
        for module in remembered.modules {
            if let failure = module.failure { print("     | memory: \(failure)") }
        }
    }

    // MARK: Effects

    /// Does what the session asks for; gives the event that comes of it.
    private func carryOut(_ effect: ConversationSession.Effect, in conversation: Conversation) async throws
        -> ConversationSession.Event?
    {
        switch effect {
        case .append(let message):
            try await store.append(message, to: conversation.id)
            if message.sender == .bot {
                print("bot> \(message.text)")
                for citation in LookInside.citations(of: message) { print("     \(citation)") }
                if message.isSafetyControlled { print("     (said for safety; /agree or /disagree)") }
            }
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
