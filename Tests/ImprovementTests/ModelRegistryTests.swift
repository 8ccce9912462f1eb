import Foundation
import Testing

@testable import Improvement

@Suite("The registry: who serves, and the way back")
struct ModelRegistryTests {
    let registry: ModelRegistry

    init() throws {
        registry = try ModelRegistry(
            FileManager.default.temporaryDirectory.appending(path: "loam-registry-\(UUID().uuidString)"))
        for (index, id) in ["a", "b", "c"].enumerated() {
            try registry.add(
                ModelRegistry.Entry(
                    id: id, path: "/models/\(id)", madeAt: Date(timeIntervalSince1970: Double(index)), parent: "base",
                    method: "cringe",
                    seed: 1, fingerprint: "f", data: ["log": "x"], codeVersion: "0", people: 3, passedGate: id != "c",
                    reasons: id == "c" ? ["worse"] : []))
        }
    }

    private let day = Date(timeIntervalSince1970: 1_000_000)

    @Test("nobody serves before the first promotion, the last promoted does after")
    func promotion() throws {
        #expect(try registry.serving() == nil)
        try registry.promote("a", at: day)
        try registry.promote("b", at: day)
        #expect(try registry.serving()?.id == "b")
        #expect(try registry.entries().map(\.id) == ["a", "b", "c"])
    }

    @Test("rolling back twice goes back twice")
    func rollback() throws {
        for id in ["a", "b", "a"] { try registry.promote(id, at: day) }
        #expect(try registry.rollback(at: day).id == "b")
        #expect(try registry.rollback(at: day).id == "a")
        #expect(throws: ImprovementError.self) { try registry.rollback(at: day) }
        #expect(try registry.serving()?.id == "a")
    }

    @Test("a model that failed the gate needs force; an unknown one is named with the known ones")
    func refusals() throws {
        #expect(throws: ImprovementError.self) { try registry.promote("c", at: day) }
        try registry.promote("c", at: day, force: true)
        #expect(try registry.serving()?.id == "c")
        let error = #expect(throws: ImprovementError.self) { try registry.promote("z", at: day) }
        #expect(error?.description.contains("a, b, c") == true)
        #expect(throws: ImprovementError.self) { try registry.entry("../a") }
    }
}
