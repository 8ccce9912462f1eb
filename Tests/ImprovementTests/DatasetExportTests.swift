import Conversations
import Foundation
import Storage
import Testing

@testable import Improvement

@Suite("Data sets out of the store")
struct DatasetExportTests {
    private func store(people: Int) async throws -> SQLiteStore {
        let store = try SQLiteStore()
        try await store.save(
            (0..<people).map { person in
                Conversation(
                    id: "c\(person)", userID: "u\(person)",
                    messages: [
                        Message(id: "1", sender: .human, text: "tell me of number \(person) and of \(person * 7919)"),
                        Message(
                            id: "2", sender: .bot, text: "it is odd",
                            feedback: [
                                Feedback(
                                    userID: "u\(person)", rating: person % 2 == 0 ? .like : .dislike,
                                    correction: person % 5 == 0 ? "it is even" : nil)
                            ]),
                        Message(id: "3", sender: .human, text: "thanks for number \(person * 104_729)"),
                    ], consent: person % 4 == 0 ? .release : .improve)
            })
        return store
    }

    private func run(_ export: DatasetExport, _ store: SQLiteStore) async throws -> (DatasetExport.Result, URL) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "loam-export-\(UUID().uuidString)")
        let result = try await export.run(
            store: store, to: folder.appending(path: "out"), key: folder.appending(path: "key"),
            now: Date(timeIntervalSince1970: 1_700_000_000))
        return (result, folder)
    }

    private func lines(_ file: URL) throws -> [Substring] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    }

    @Test("parts by person, votes by trust, a card, and who is in it")
    func parts() async throws {
        let store = try await store(people: 60)
        let trust = Dictionary(uniqueKeysWithValues: (0..<60).map { ("u\($0)", $0 < 30 ? 0.9 : 0.1) })
        let split = try UserSplit(parsing: "train=.5,test=.5")
        let (result, folder) = try await run(DatasetExport(shape: .kto, split: split, trust: (0.5, trust)), store)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(result.lines == 30)
        #expect(result.distrusted == 30)
        #expect(
            result.files.map { URL(filePath: $0).lastPathComponent } == ["trl-kto-test.jsonl", "trl-kto-train.jsonl"])
        let test = (0..<30).count { split.part(of: "u\($0)") == "test" }
        #expect(try lines(URL(filePath: result.files[0])).count == test)
        let card = try String(contentsOf: folder.appending(path: "out/README.md"), encoding: .utf8)
        #expect(card.contains("| conversations | 60 |"))
        #expect(card.contains("trusted below 0.50 were left out: 30"))
        // Whose words are in it is known when they go.
        let report = try await store.delete(userID: "u3")
        #expect(report.datasets.map(\.shape) == ["trl-kto"])
        let (again, other) = try await run(DatasetExport(shape: .loam), store)
        defer { try? FileManager.default.removeItem(at: other) }
        #expect(again.conversations == 59)
    }

    @Test("who voted in another's conversation is in the data set too, but in no release")
    func voters() async throws {
        let store = try await store(people: 1)
        try await store.setFeedback(
            Feedback(userID: "voter", rating: .dislike, correction: "it is even"), on: "2", in: "c0")
        for shape in [DatasetExport.Shape.kto, .bb3x] {
            let (_, folder) = try await run(DatasetExport(shape: shape), store)
            try? FileManager.default.removeItem(at: folder)
        }
        #expect(try await store.lineage(of: "voter").datasets.map(\.shape) == ["trl-kto"])
        #expect(try await store.lineage(of: "u0").datasets.count == 2)
    }

    @Test("a release has 100 chunks, by person, of those alone who allowed it")
    func release() async throws {
        let store = try await store(people: 40)
        let (result, folder) = try await run(DatasetExport(shape: .bb3x), store)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(result.files.count == 100)
        #expect(result.conversations == 10)
        #expect(result.withoutConsent == 30)
        let files = try LogFormat.files(at: folder.appending(path: "out"))
        #expect(files.count == 100)
        var read: [Conversation] = []
        for file in files {
            // Chunks may be empty.
            if let part = try? LogFormat.bb3x.reader(of: file).readAll() { read += part.conversations }
        }
        #expect(read.map(\.id).sorted() == ["c0", "c12", "c16", "c20", "c24", "c28", "c32", "c36", "c4", "c8"])
    }

    @Test("every shape writes lines; corrections make pairs")
    func shapes() async throws {
        let store = try await store(people: 20)
        let expected: [DatasetExport.Shape: Int] = [
            .loam: 20, .bb3x: 5, .sft: 10, .promptCompletion: 10, .kto: 20, .dpo: 4, .reward: 4, .openAISupervised: 10,
            .openAIPreference: 4,
        ]
        for shape in DatasetExport.Shape.allCases {
            let (result, folder) = try await run(DatasetExport(shape: shape), store)
            defer { try? FileManager.default.removeItem(at: folder) }
            #expect(result.lines == expected[shape], "\(shape.rawValue)")
            for file in result.files {
                for line in try lines(URL(filePath: file)) { _ = try JSONValue(parsing: String(line)) }
            }
        }
    }

    @Test("shares that leave somebody over are refused; rounding is not")
    func sharesLeftOver() throws {
        for text in ["train=.5", "train=.8,valid=.1"] {
            #expect(throws: UserSplit.Invalid.self) { try UserSplit(parsing: text) }
        }
        #expect(try UserSplit(parsing: "a=.333,b=.333,c=.333").parts.count == 3)
        #expect(try UserSplit(parsing: "train=1").parts.count == 1)
    }
}
