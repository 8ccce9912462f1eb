import Conversations
import Dialogue
import Foundation
import Synchronization

/// Writes what the test says for each module: a list of outputs, the last of which stays. Modules without one fail.
final class ScriptedWriter: ModuleWriter {
    struct Failure: Error, CustomStringConvertible { let description = "scripted failure" }

    let modelID = "scripted-modules"
    private let script: [DialogueModule: [String]]
    private let probabilities: [DialogueModule: Double]
    private let record = Mutex([ModuleCall]())

    init(_ script: [DialogueModule: [String]], probabilities: [DialogueModule: Double] = [:]) {
        self.script = script
        self.probabilities = probabilities
    }

    var calls: [ModuleCall] { record.withLock { $0 } }
    func calls(of module: DialogueModule) -> [ModuleCall] { calls.filter { $0.module == module } }

    func output(for call: ModuleCall, onPiece: (@Sendable (String) -> Void)?) async throws -> ModuleOutput {
        let number = record.withLock { record in
            record.append(call)
            return record.count { $0.module == call.module } - 1
        }
        guard let outputs = script[call.module] else { throw Failure() }
        let text = outputs[min(number, outputs.count - 1)]
        onPiece?(text)
        return ModuleOutput(
            reply: Reply(
                text: text, finishReason: "stop", tokenCount: 3, meanLogProbability: probabilities[call.module] ?? -1),
            model: modelID)
    }
}

/// Memories in memory, with the rules of the real store.
actor NotebookStore: MemoryStore {
    private var all: [Memory] = []

    init(_ memories: [Memory] = []) { all = memories }

    func memories(of userID: String) async throws -> [Memory] {
        all.filter { $0.userID == userID }.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }

    func save(_ memory: Memory) async throws {
        if let place = all.firstIndex(where: { $0.id == memory.id }) {
            guard all[place].userID == memory.userID else { throw DialogueError("another person's") }
            all[place] = memory
        } else {
            all.append(memory)
        }
    }

    func forget(memory id: String, of userID: String) async throws {
        all.removeAll { $0.id == id && $0.userID == userID }
    }

    func forgetMemories(of userID: String) async throws { all.removeAll { $0.userID == userID } }
}

/// A stand-in for the sentence encoder: each stem adds to one place of the vector that its letters choose.
struct StemEncoder: TextEncoder {
    let dimension = 512

    func encode(_ texts: [String]) async throws -> [[Float]] {
        texts.map { text in
            var vector = [Float](repeating: 0, count: dimension)
            vector[0] = 0.01
            for word in NearDuplicate.words(of: text).subtracting(["i", "my", "you", "do", "in", "of", "to", "what"]) {
                vector[Int(StableHash.value(of: word) % UInt64(dimension - 1)) + 1] += 1
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / length }
        }
    }
}

extension StableHash {
    static func value(of text: String) -> UInt64 {
        var hash = StableHash()
        hash.add(text)
        return hash.value
    }
}

/// Finds anything with an @ in it.
struct AtSignCheck: PrivacyCheck {
    func identifiers(in text: String) -> [String] { text.contains("@") ? ["EMAIL_ADDRESS"] : [] }
}

/// A search that fails, or takes its time.
struct BrokenSearch: SearchProvider {
    let name = "broken"
    var seconds = 0.0

    func documents(for query: String, count: Int) async throws -> [SearchDocument] {
        try await Task.sleep(for: .seconds(seconds))
        throw DialogueError("status 503")
    }
}

func memory(
    _ text: String, of user: String = "ann", owner: Memory.Owner = .person, id: String? = nil, at seconds: Double = 0,
    vector: [Float]? = nil
) -> Memory {
    Memory(
        id: id ?? text, userID: user, owner: owner, text: text,
        createdAt: Date(timeIntervalSince1970: 1_700_000_000 + seconds), vector: vector)
}
