import Conversations
import Dialogue
import Foundation
import Training

/// Tasks for the bot's modules out of logs and dialogue files: what is learned from, and what is held out to see how well.
struct TeachingData: Sendable {
    var learned: [Sourced<ModuleTask>] = []
    /// Of other conversations.
    var heldOut: [Sourced<ModuleTask>] = []
    var skipped: [String: Int] = [:]

    /// Reads Loam logs (consent for improving) and lines with `turns` and perhaps `persona`; one conversation in twenty is held
    /// out, by a stable hash of what was said first.
    /// - Throws: `LogError` for files that cannot be read or hold nothing to learn from.
    init(_ files: [URL], teacher: ModuleTeacher, onProgress: (String) -> Void) throws {
        for file in files {
            let before = learned.count + heldOut.count
            if try LearnableLog.isLog(file) {
                let log = try LearnableLog(file)
                while let event = try log.next() {
                    switch event {
                    case .skipped(let reason): skipped[reason.code.rawValue, default: 0] += 1
                    case .withheld: skipped["no consent", default: 0] += 1
                    case .conversation(let conversation):
                        add(teacher.tasks(of: conversation), key: conversation.id, file: file)
                    }
                }
            } else {
                let content = try DialogueFile().read(file)
                if content.rejected > 0 { skipped["rejected by the data's makers", default: 0] += content.rejected }
                if content.skippedCount > 0 { skipped["unusable lines", default: 0] += content.skippedCount }
                for (place, turns) in content.dialogues.enumerated() {
                    let facts = zip([Memory.Owner.person, .bot], content.personas[place] ?? []).flatMap {
                        owner, texts in
                        texts.map { Fact(owner, $0) }
                    }
                    add(
                        teacher.tasks(of: turns, facts: facts),
                        key: turns.prefix(2).map(\.text).joined(separator: "\n"),
                        file: file)
                }
            }
            onProgress("\(file.lastPathComponent): \(learned.count + heldOut.count - before) tasks")
        }
    }

    private mutating func add(_ tasks: [ModuleTask], key: String, file: URL) {
        var hash = StableHash(salt: "module-teaching")
        hash.add(key.utf8)
        let sourced = tasks.map { Sourced($0, file: file.path) }
        if hash.value % 20 == 0 { heldOut += sourced } else { learned += sourced }
    }

    /// A share of tasks that no answer dominates: as many yes as no, as many facts as "nothing", at most so many for each
    /// module, and no more plain replies than all others together, which keep the model talking as it did.
    static func balanced(_ tasks: [Sourced<ModuleTask>], perModule: Int, seed: UInt64) -> [Sourced<ModuleTask>] {
        func order(_ place: Int) -> UInt64 {
            var hash = StableHash(salt: "module-teaching-\(seed)")
            withUnsafeBytes(of: UInt64(place).littleEndian) { hash.add($0) }
            return hash.value
        }
        /// Kinds of answers that a module must tell apart.
        func kind(_ task: ModuleTask) -> String {
            switch task.answer {
            case .decision(let isYes): "\(isYes)"
            case .nothing: "nothing"
            case .text: "text"
            }
        }
        let shuffled = tasks.indices.sorted { (order($0), $0) < (order($1), $1) }
        var kept: [Int] = []
        let byModule = Dictionary(grouping: shuffled) { tasks[$0].item.module }
        for (module, places) in byModule where module != .plainReply {
            let kinds = Dictionary(grouping: places) { kind(tasks[$0].item) }
            // Where all known answers are the same, there is nothing to decide.
            let isDecision = module == .searchDecision || module == .memoryDecision || kinds["nothing"] != nil
            if isDecision, kinds.count < 2 { continue }
            let most = min(perModule / max(kinds.count, 1), kinds.values.map(\.count).min() ?? 0)
            for places in kinds.values { kept += places.prefix(most) }
        }
        kept += (byModule[.plainReply] ?? []).prefix(max(kept.count, kept.isEmpty ? perModule : 0))
        return kept.sorted { (order($0), $0) < (order($1), $1) }.map { tasks[$0] }
    }
}
