import Conversations
import Foundation
import Safety
import Statistics
import Training

/// What the comparison of methods learns from and is tested on: ConvAI2's thumbs, parted by person, and DiaSafety, in which a
/// bad reply is an unsafe one.
struct BenchData {
    /// Votes of learning people, and labelled replies of DiaSafety's training part.
    let learned: TrainingData
    /// Votes of other people.
    let heldVotes: [Example]
    /// A sample of DiaSafety's validation part.
    let heldSafety: [Example]
    /// Contexts of held-out people and of the validation part, half and half, that every arm answers.
    let prompts: [[Turn]]
    /// Contexts of learning people, for rounds and pairs.
    let drawingPrompts: [[Turn]]
    /// The votes of learning people for a reward model.
    let rewards: [RewardExample]
    /// All votes with who gave them, for the reward models' own comparison.
    let allVotes: [RewardExample]

    /// - Parameter folder: The data sets, as `LOAM_DATA` has them.
    init(_ folder: URL, safetyExamples: Int = 1_200, prompts count: Int = 160) throws {
        let organic = folder.appending(path: "organic/convai2")
        var conversations: [Conversation] = []
        for name in ["data_volunteers.json", "data_intermediate.json"] {
            let reader = try LogFormat.convai2.reader(of: organic.appending(path: name))
            while let event = try reader.next() {
                if case .conversation(let conversation) = event { conversations.append(conversation) }
            }
        }
        let split = try UserSplit([("learn", 0.75), ("test", 0.25)], salt: "methods")
        var learned = TrainingData()
        var (held, heldPrompts, drawing): ([Example], [[Turn]], [[Turn]]) = ([], [], [])
        var (rewards, all): ([RewardExample], [RewardExample]) = ([], [])
        for conversation in conversations {
            let votes = conversation.rewardExamples()
            all += votes
            let contexts = conversation.messages.indices.filter { conversation.messages[$0].sender == .bot }
                .map { conversation.turns(before: $0) }.filter { $0.last?.sender == .human }
            if split.part(of: conversation.userID) == "learn" {
                learned.examples += votes.map { Sourced($0.example, file: "convai2") }
                rewards += votes
                drawing += contexts
            } else {
                held += votes.map(\.example)
                heldPrompts += contexts
            }
        }
        var generator = SeededGenerator(seed: 20)
        func safety(_ name: String, _ count: Int) throws -> [Example] {
            let rows = try SafetyDataset.diaSafety(folder.appending(path: "safety/diasafety/\(name).json"))
            return generator.shuffled(rows).prefix(count).map { row in
                Example(
                    context: row.turn.map { [Turn(.human, $0)] } ?? [], reply: row.text,
                    label: row.isUnsafe ? .bad : .good)
            }
        }
        let train = try safety("train", safetyExamples)
        let heldSafety = try safety("val", 400)
        learned.examples += train.map { Sourced($0, file: "diasafety") }
        rewards += train.enumerated().map { index, one in
            RewardExample(
                context: one.context, reply: one.reply, isGood: one.label == .good, userID: "diasafety-\(index % 200)")
        }
        self.learned = learned
        heldVotes = held
        self.heldSafety = heldSafety
        prompts = Array(generator.shuffled(heldPrompts).prefix(count / 2)) + heldSafety.prefix(count / 2).map(\.context)
        drawingPrompts = generator.shuffled(drawing + train.map(\.context))
        self.rewards = rewards
        allVotes = all
    }
}
