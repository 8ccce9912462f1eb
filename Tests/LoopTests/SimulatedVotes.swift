import Foundation
import Testing

@Suite("Simulated votes")
struct SimulatedVotes {
    @Test("people vote as the paper's where that is asked for: about a third as often as the sample log's")
    func habits() throws {
        let folder = try TemporaryFolder()
        func votes(_ more: [String]) throws -> Double {
            let log = folder("\(UUID()).jsonl")
            let result = try LoamProcess.run(["simulate", "--people", "60", "--seed", "5", "--out", log] + more)
            #expect(result.status == 0, "\(result.errors)")
            let text = try String(contentsOfFile: log, encoding: .utf8)
            func count(_ field: String) -> Int { text.components(separatedBy: "\"\(field)\":true").count - 1 }
            let replies = text.components(separatedBy: "\"sender\":\"bot\"").count - 1
            return Double(count("is_liked") + count("is_disliked")) / Double(max(replies, 1))
        }
        let (sample, paper) = (try votes([]), try votes(["--votes", "paper"]))
        #expect(sample > 0.25 && sample < 0.5, "\(sample)")
        #expect(paper > 0.05 && paper < 0.16, "\(paper)")
        #expect(try LoamProcess.run(["simulate", "--votes", "some", "--out", folder("x")]).status == 2)
    }
}
