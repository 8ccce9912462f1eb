import Conversations
import Foundation

/// A model of a finished run with a decoding: a row of the table.
struct ProofArm: Sendable {
    /// How replies are drawn; fixed before anything is tuned.
    enum Decoding: String, Codable, CaseIterable, Sendable {
        /// What people meet: temperature 1, top-p .95.
        case sampled
        case temperature07 = "temperature .7"
        case temperature05 = "temperature .5"
        case greedy

        func sampling(seed: UInt64) -> Sampling {
            var sampling = Sampling(temperature: 1, topP: 0.95, maximumTokens: 40)
            sampling.seed = seed
            switch self {
            case .sampled: break
            case .temperature07: sampling.temperature = 0.7
            case .temperature05: sampling.temperature = 0.5
            case .greedy: sampling.temperature = 0
            }
            return sampling
        }
    }

    var name: String
    var model: URL
    var decoding: Decoding
    /// Replies that are drawn, of which the one is given that the run's reward model likes best.
    var draws = 1

    static let base = "base"
    static let onlyGood = "SFT on good"
    static func round(_ number: Int) -> String { "round \(number)" }

    /// The arms of a run's folder: the untrained base at every decoding, so that sharpening is not mistaken for learning, and
    /// SFT and each round sampled and greedy.
    /// - Parameter draws: more than 1: base and last round once more, with the best of so many replies by the reward model.
    /// - Throws: `ProofError` where the folder is not that of a finished run.
    static func all(of run: URL, draws: Int = 1) throws -> [ProofArm] {
        let settings = try ProofRun(run)
        let stages = try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
        func model(_ stage: String) -> URL? {
            let url = run.appending(path: stage).appending(path: "model")
            return FileManager.default.fileExists(atPath: url.path) ? url : nil
        }
        var arms = Decoding.allCases.map { ProofArm(name: base, model: URL(filePath: settings.model), decoding: $0) }
        var learnt: [(String, URL)] = []
        for stage in stages {
            guard let url = model(stage) else { continue }
            if stage.hasSuffix("-sft") {
                learnt.append((onlyGood, url))
            } else if let number = stage.split(separator: "-").last.flatMap({ Int($0) }) {
                learnt.append((round(number), url))
            }
        }
        guard learnt.contains(where: { $0.0 == round(1) }) else {
            throw ProofError(description: "\(run.path): no round is done")
        }
        arms += learnt.flatMap { name, url in
            [Decoding.sampled, .greedy].map { ProofArm(name: name, model: url, decoding: $0) }
        }
        if draws > 1 {
            let ends = [arms[0], arms.last { $0.decoding == .sampled }].compactMap { $0 }
            arms += ends.map {
                ProofArm(name: "\($0.name), best of \(draws)", model: $0.model, decoding: .sampled, draws: draws)
            }
        }
        return arms
    }
}

/// What the proof reads of a run's settings.
struct ProofRun: Decodable {
    /// Folders of the base and of the sentence encoder.
    var model: String
    var encoder: String

    /// - Throws: `ProofError` where the folder is not that of a run.
    init(_ run: URL) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: run.appending(path: "run.json")))
        } catch { throw ProofError(description: "\(run.path): no run of the loop (\(error))") }
    }
}

/// What stops the proof.
struct ProofError: Error, CustomStringConvertible {
    let description: String
}
