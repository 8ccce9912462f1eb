import Conversations
import Synchronization

/// Reads turns into acts, remembering texts it has read: the same ones come again and again.
final class TalkReader: Sendable {
    /// One text, read: its sentences with their words and everything that each may be.
    struct Reading: Sendable {
        var sentences: [String]
        var words: [[String]]
        /// The words of each sentence in one string.
        var keys: [String]
        var acts: [[Act]]

        /// The words of the whole text in one string.
        var key: String { keys.joined(separator: " ") }
    }

    private struct Key: Hashable {
        var sender: Sender
        var text: String
    }

    /// Texts kept at most; a full cache is emptied.
    private static let capacity = 50_000

    private let world: World
    private let cache = Mutex<[Key: Reading]>([:])

    init(_ world: World) {
        self.world = world
    }

    func reading(of text: String, by sender: Sender) -> Reading {
        let key = Key(sender: sender, text: text)
        if let known = cache.withLock({ $0[key] }) { return known }
        let grammar = sender == .bot ? world.botGrammar : world.personGrammar
        let sentences = SentenceText.sentences(of: text)
        let words = sentences.map(SentenceText.words)
        let reading = Reading(
            sentences: sentences, words: words, keys: words.map { $0.joined(separator: " ") },
            acts: words.map(grammar.acts))
        cache.withLock { cache in
            if cache.count >= Self.capacity { cache.removeAll(keepingCapacity: true) }
            cache[key] = reading
        }
        return reading
    }

    /// Everything that one sentence may be; empty when no one in the world would say it.
    func acts(of sentence: String, by sender: Sender) -> [Act] {
        let reading = reading(of: sentence, by: sender)
        return reading.acts.count == 1 ? reading.acts[0] : []
    }

    /// Takes one more turn into the state.
    func follow(_ turn: Turn, _ state: inout TalkState) {
        let reading = reading(of: turn.text, by: turn.sender)
        switch turn.sender {
        case .human: state.hear(turn.text, reading.acts.compactMap(\.first), world)
        case .bot: state.say(turn.text, reading)
        }
    }

    /// What has been said up to and including the last turn.
    func state(after turns: [Turn]) -> TalkState {
        var state = TalkState()
        for turn in turns { follow(turn, &state) }
        return state
    }
}
