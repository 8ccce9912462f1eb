import Conversations
import Foundation
import Safety
import Testing

@Suite struct SensitiveTopicTests {
    @Test(
        arguments: [
            ("What should I take for a cold?", SensitiveTopic.medical), ("wh0 should i v0te for", .politics),
            ("Do you believe in God?", .religion), ("where can I buy w e e d", nil), ("How do I get high?", .drugs),
            ("s.e.n.d nudes", nil), ("Talk dirty to me", .nsfw), ("My doctor is nice", nil),
            ("I voted yesterday", nil), ("We went to church", nil), ("I take the bus to work", nil),
            ("get high marks", nil), ("", nil),
        ] as [(String, SensitiveTopic?)])
    func topics(text: String, topic: SensitiveTopic?) throws {
        #expect(try TopicMatcher.standard().topic(of: text) == topic)
    }

    @Test func everyTopicHasAReplyOfItsOwn() async throws {
        #expect(Set(SensitiveTopic.allCases.map(\.reply)).count == SensitiveTopic.allCases.count)
        let pipeline = try SafetyPipeline.standard(encoder: HashingEncoder(dimension: 384))
        let topic = SafetyDecision(layer: "topic_matcher", isUnsafe: true, category: "medical")
        let rude = SafetyDecision(layer: "string_matcher", isUnsafe: true)
        let harm = SafetyDecision(layer: "self_harm_matcher", isUnsafe: true, category: "self_harm")
        #expect(pipeline.cannedReply(toPerson: [topic], seed: 1) == SensitiveTopic.medical.reply)
        #expect(
            pipeline.replies.all(.unsafePerson).contains(pipeline.cannedReply(toPerson: [rude, topic], seed: 1) ?? ""))
        #expect(pipeline.replies.all(.selfHarm).contains(pipeline.cannedReply(toPerson: [harm, topic], seed: 1) ?? ""))
    }

    @Test func brokenListsAreNamedByLine() {
        let unknown = #expect(throws: SafetyError.self) {
            try TopicMatcher(list: "# x\ntopic: weather\nrain", file: "t.txt")
        }
        #expect(unknown?.message == "t.txt:2: unknown topic weather")
        let early = #expect(throws: SafetyError.self) { try TopicMatcher(list: "rain", file: "t.txt") }
        #expect(early?.message == "t.txt:1: an entry before the first topic")
    }

    /// On ordinary chat the lists stay silent: at most one message in two hundred.
    @Test func ordinaryChatRaisesFewAlarms() throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["LOAM_DATA"] ?? "../shared/data")
            .appending(path: "dialogue")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        let lines = files.filter { $0.pathExtension == "jsonl" }.sorted { $0.path < $1.path }
            .flatMap { file -> [Substring] in
                let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
                return Array(text.split(separator: "\n").prefix(400))
            }
        let texts = lines.flatMap { line -> [String] in
            Self.strings(in: (try? JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))) ?? .null)
        }.filter { $0.count > 12 && $0.contains(" ") }
        guard !texts.isEmpty else {
            print("skipped: no dialogues at \(folder.path)")
            return
        }
        let matcher = try TopicMatcher.standard()
        let alarms = texts.count { matcher.topic(of: $0) != nil }
        print("sensitive topics: \(alarms) alarms in \(texts.count) texts of ordinary chat")
        #expect(Double(alarms) / Double(texts.count) <= 0.005)
    }

    private static func strings(in value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let items): items.flatMap(strings)
        case .object(let fields): fields.values.flatMap(strings)
        default: []
        }
    }
}
