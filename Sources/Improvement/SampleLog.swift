import Conversations
import Foundation
import LanguageModels
import Tokenizers
import Torch
import Training

/// `samples.jsonl`: what a model in training answers to a few contexts every so many steps, greedily, so that a reader sees it
/// change. Costs one short reply per context each time.
struct SampleLog {
    /// A line of the file.
    struct Line: Codable {
        var step: Int
        var context: [Turn]
        var reply: String
    }

    let url: URL
    /// Ids of the contexts, with the marker that begins a reply.
    private let prompts: [(ids: [Int], context: [Turn])]
    private let format: any PromptFormat
    private let maximumTokens = 32

    /// Opens the log of a run that goes on after `step`: later lines are dropped.
    /// - Parameter contexts: A long one loses its beginning.
    init(_ url: URL, after step: Int, contexts: [[Turn]], format: any PromptFormat, contextLength: Int) throws {
        self.url = url
        self.format = format
        let room = contextLength - maximumTokens
        prompts = room > 0 ? try contexts.map { (try format.prompt(for: $0, room: room), $0) } : []
        let decoder = JSONDecoder()
        let old = (try? Data(contentsOf: url)) ?? Data()
        var kept = Data()
        for line in old.split(separator: UInt8(ascii: "\n")) {
            guard let known = try? decoder.decode(Line.self, from: Data(line)), known.step <= step else { continue }
            kept += line + [UInt8(ascii: "\n")]
        }
        try kept.write(to: url, options: .atomic)
    }

    func append(_ model: any LanguageModels.Decoder, step: Int) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines = Data()
        for (ids, context) in prompts {
            let reply = format.vocabulary.decode(try continuation(of: ids, by: model))
            lines += try encoder.encode(Line(step: step, context: context, reply: reply)) + [UInt8(ascii: "\n")]
        }
        let handle = try FileHandle(forWritingTo: url)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: lines)
    }

    private func continuation(of prompt: [Int], by model: any LanguageModels.Decoder) throws -> [Int] {
        try withoutGradients {
            let cache = KVCache(layers: model.configuration.layerCount, capacity: prompt.count + maximumTokens)
            var (next, found): ([Int], [Int]) = (prompt, [])
            while found.count < maximumTokens {
                let start = cache.length
                let hidden = try model.hidden(
                    Tensor(next, shape: [1, next.count], device: model.device),
                    positions: Tensor(Array(start..<start + next.count), shape: [1, next.count], device: model.device),
                    mask: .causal, cache: cache, compute: model.device.matrixType)
                next = try model.logits(hidden.select(dim: 1, index: -1)).argmax(dim: -1).ints()
                guard let id = next.first, !format.endIDs.contains(id), !model.configuration.endIDs.contains(id) else {
                    break
                }
                found.append(id)
            }
            return found
        }
    }
}
