import Conversations
import Foundation
import Storage
import Testing

@testable import Improvement

@Suite("Who is in a run's conversations")
struct RunPeopleTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "loam-people-\(UUID().uuidString)")

    @Test("a deletion finds the file of everybody and the models of those who taught, wherever the folder goes")
    func people() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let place = folder.appending(path: "run/02-deidentify")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let store = try SQLiteStore(at: folder.appending(path: "store.sqlite"))
        try await store.save(
            (0..<30).map { person in
                Conversation(
                    id: "c\(person)", userID: "u\(person)",
                    messages: [
                        Message(id: "1", sender: .human, text: "tell me something"),
                        Message(
                            id: "2", sender: .bot, text: "it is late",
                            feedback: [Feedback(userID: "v\(person)", rating: .like)]),
                    ], consent: .improve)
            })
        let configuration = ImproveConfiguration(
            logs: [], format: "loam", store: folder.appending(path: "store.sqlite").path, model: "m", encoder: "e")
        let stage = DeidentifyStage(
            configuration: configuration, key: folder.appending(path: "key"),
            makeEncoder: { throw ImprovementError.noData("encoder", "is not needed without names") })
        let day = Date(timeIntervalSince1970: 1_700_000_000)
        _ = try await stage.run(
            StageWork(configuration: configuration, folder: place, earlier: [:], today: day, report: { _ in }))
        let id = DeidentifyStage.dataset(in: place, on: day)
        try await store.record(ModelRecord(id: "m1", path: "m1", datasets: [id], createdAt: day))

        var taught = 0
        for person in 0..<30 {
            let lineage = try await store.lineage(of: "u\(person)")
            let ids = Set(lineage.datasets.map(\.id))
            #expect(ids.contains(id + "-all"))
            #expect(lineage.models.map(\.id) == (ids.contains(id) ? ["m1"] : []))
            // Whoever voted there is learnt from where its person is.
            let voter = try await store.lineage(of: "v\(person)")
            #expect(Set(voter.datasets.map(\.id)) == ids)
            #expect(voter.models.map(\.id) == lineage.models.map(\.id))
            if ids.contains(id) { taught += 1 }
        }
        #expect(taught > 0 && taught < 30)

        // Adopted by another run, or moved, it is still the same data set.
        let copy = folder.appending(path: "other/02-deidentify")
        try FileManager.default.createDirectory(
            at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: place, to: copy)
        #expect(DeidentifyStage.dataset(in: copy, on: day.addingTimeInterval(86_400)) == id)
        // A run from before it said so is known by its place and day.
        try FileManager.default.removeItem(at: place.appending(path: DeidentifyStage.datasetFile))
        #expect(DeidentifyStage.dataset(in: place, on: day) == id)
    }
}
