import Foundation
import Testing
import Trust

@testable import Improvement

@Suite("What raters judged goes into a round")
struct AnchorTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "loam-anchors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func configuration(_ anchors: String?) throws -> ImproveConfiguration {
        var configuration = ImproveConfiguration(
            logs: [], format: "loam", store: "s", model: folder.appending(path: "model").path,
            encoder: folder.appending(path: "model").path)
        if let anchors {
            let file = folder.appending(path: "anchors.csv")
            try Data(anchors.utf8).write(to: file)
            configuration.anchors = file.path
        }
        return configuration
    }

    @Test("the method `joint` goes by them, another says that it does not")
    func method() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = try configuration("item,label\nc1/a,1\n\"c,2/b\",0\n")
        let (joint, note) = try TrustStage.method(configuration)
        #expect((joint as? JointModel)?.anchors.items == ["c1/a": true, "c,2/b": false] && note == nil)
        configuration.trust = "guarded"
        let (guarded, said) = try TrustStage.method(configuration)
        #expect(guarded.name == "guarded" && said?.contains("takes no anchors") == true)
        configuration.anchors = nil
        #expect(try TrustStage.method(configuration).note == nil)
        configuration.trust = "joint"
        #expect((try TrustStage.method(configuration).0 as? JointModel)?.anchors.isEmpty == true)
    }

    @Test("a round with other anchors is another round; where they lie makes no difference")
    func lineage() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = folder.appending(path: "model")
        try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            try Data("{}".utf8).write(to: model.appending(path: name))
        }
        func fingerprint(_ configuration: ImproveConfiguration) throws -> String {
            try Lineage(configuration, codeVersion: "1").fingerprint
        }
        let none = try fingerprint(configuration(nil))
        let one = try fingerprint(configuration("item,label\nc1/a,1\n"))
        let other = try fingerprint(configuration("item,label\nc1/a,0\n"))
        #expect(Set([none, one, other]).count == 3)
        let moved = folder.appending(path: "elsewhere.csv")
        try Data("item,label\nc1/a,1\n".utf8).write(to: moved)
        var configuration = try configuration(nil)
        configuration.anchors = moved.path
        #expect(try fingerprint(configuration) == one)
        configuration.anchors = folder.appending(path: "none.csv").path
        #expect(throws: ImprovementError.self) { try fingerprint(configuration) }
    }
}
