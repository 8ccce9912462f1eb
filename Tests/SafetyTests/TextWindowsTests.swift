import Conversations
import Testing

@testable import Safety

/// Words that differ.
private func words(_ count: Int) -> String { (0..<count).map { "w\($0)" }.joined(separator: " ") }

/// Characters drawn from others, so that no long part comes twice.
private func drawn(_ count: Int, from characters: String) -> String {
    var state = UInt64(7)
    let all = Array(characters)
    return String(
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return all[Int((state >> 33) % UInt64(all.count))]
        })
}

@Suite("Long texts are read whole, window by window")
struct TextWindowsTests {
    @Test(
        "a text that fits into one window is that window",
        arguments: [
            "", "   ", "hello", "  hello \n there  ", words(32), String(repeating: "!", count: 24), "👩‍🚀 привет",
        ])
    func short(_ text: String) { #expect(TextWindows.of(text) == [text]) }

    @Test(
        "every character is in a window, and what stands at a window's end is in the next one too",
        arguments: [
            words(33), words(45), "\n " + words(500) + "  ", drawn(1000, from: "abcdefg"), drawn(800, from: "!?.,;"),
            drawn(400, from: "привет "), drawn(200, from: "👩‍🚀🍵☕️🫖"),
            words(40) + " " + drawn(700, from: "wxyz") + " " + words(3),
        ])
    func covered(_ text: String) {
        let windows = TextWindows.of(text)
        #expect(windows.count > 1 && windows == TextWindows.of(text))
        let all = Array(text.unicodeScalars)
        var covered = 0
        var place = 0
        for (number, window) in windows.enumerated() {
            let part = Array(window.unicodeScalars)
            // The place of a window is the first after the one before it where its characters stand.
            while place + part.count <= all.count, !all[place..<place + part.count].elementsEqual(part) { place += 1 }
            #expect(place + part.count <= all.count && (number == 0 ? place == 0 : place < covered))
            covered = max(covered, place + part.count)
            place += 1
        }
        #expect(covered == all.count)
    }

    @Test("windows are full, the last one too; words without end are cut")
    func full() {
        let windows = TextWindows.of(words(101)).map { $0.split(separator: " ").count }
        #expect(windows == [32, 32, 32, 32])
        #expect(TextWindows.of(words(101))[1].hasPrefix("w24 "))
        #expect(TextWindows.of(String(repeating: "x", count: 1000)).allSatisfy { $0.utf8.count <= 270 })
        #expect(TextWindows.of(String(repeating: "!", count: 1000)).allSatisfy { $0.utf8.count <= 54 })
    }
}

@Suite("A classifier of windows")
struct WindowedClassifierTests {
    /// Reads the first 54 words of a text only, as a classifier of short texts does, and takes offence at one of them.
    private actor Short: TextClassifier {
        private(set) var passes: [Int] = []

        func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
            passes.append(pairs.count)
            return pairs.map { pair in
                pair.text.split(separator: " ").prefix(54).contains("blorp") ? 0.9 : pair.text == "hm" ? 0.3 : 0.1
            }
        }
    }

    private let harmless = Array(repeating: "tea", count: 60).joined(separator: " ")

    @Test("what stands behind many harmless words is read; each text gets its worst score")
    func behind() async throws {
        let reader = Short()
        let scores = try await WindowedClassifier(reader).probabilities(
            of: [([], "hm"), ([], harmless + " you blorp"), ([], harmless), ([], "blorp")])
        #expect(scores == [0.3, 0.9, 0.1, 0.9])
        #expect(try await WindowedClassifier(reader).probabilities(of: []).isEmpty)
    }

    @Test("short texts are read as they came; the windows of long ones a part at a time")
    func passes() async throws {
        let reader = Short()
        _ = try await WindowedClassifier(reader).probabilities(
            of: (0..<50).map { _ in (context: [Turn](), text: "hm") })
        #expect(await reader.passes == [50])
        let long = Array(repeating: "tea", count: 1000).joined(separator: " ")
        _ = try await WindowedClassifier(reader).probabilities(of: [([], long)])
        let passes = await reader.passes.dropFirst()
        #expect(passes.reduce(0, +) == TextWindows.of(long).count)
        #expect(passes.count == 2 && passes.allSatisfy { $0 <= WindowedClassifier.together })
    }

    @Test("the layers of both sides read the end of a long text, in all the pipeline's ways")
    func layers() async throws {
        let layer = SafetyLayer(Short(), threshold: 0.5)
        let pipeline = try SafetyPipeline(person: layer, reply: layer)
        let text = harmless + " you blorp"
        #expect(try await pipeline.decisions(person: text, context: []).contains(where: \.isUnsafe))
        #expect(try await pipeline.decisions(reply: text, context: []).contains(where: \.isUnsafe))
        #expect(try await pipeline.areUnsafe([([], text), ([], harmless)]) == [true, false])
    }
}
