import Foundation
import LanguageModels
import Torch

/// Beam search with a model: the hypotheses are the rows of one batch, whose cache follows them.
///
/// Owned by one request and stepped in the lane: never used by two threads at once.
final class BeamDecoding: @unchecked Sendable {
    private let model: any Decoder
    private let guide: (any TokenGuide)?
    private let prefixes: PrefixCache
    private let settings: DecodingSettings
    private let prompt: [Int]
    private let compute: DType?
    private let chunk: Int
    private let cache: KVCache
    /// Most tokens of a hypothesis.
    let limit: Int
    private var search: BeamSearch
    /// Tokens found in the prefix cache; `nil` before the first chunk.
    private(set) var found: Int?

    /// - Throws: `GenerationError`, as for `TokenDrawing`.
    init(
        model: any Decoder, request: TokenRequest, guide: (any TokenGuide)?, prefixes: PrefixCache, chunk: Int = 512,
        compute: DType?
    ) throws {
        // What holds of a prompt holds here too.
        let drawing = try TokenDrawing(
            prompt: request.prompt, settings: request.settings, vocabularySize: model.configuration.vocabularySize,
            contextLength: model.configuration.contextLength)
        self.model = model
        self.guide = guide
        self.prefixes = prefixes
        self.compute = compute
        self.chunk = chunk
        settings = request.settings
        prompt = request.prompt
        limit = drawing.limit
        var rules = settings.rules
        rules.maximumTokens = limit
        search = BeamSearch(
            size: settings.beamCount, rules: rules, lengthPenalty: settings.lengthPenalty, prompt: prompt)
        cache = KVCache(
            layers: model.configuration.layerCount, capacity: prompt.count + min(limit, 256))
    }

    var isDone: Bool { search.isDone }

    /// The finished hypotheses, best first.
    var hypotheses: [BeamSearch.Hypothesis] { search.hypotheses }

    /// Reads a chunk of the prompt, or adds a token to every hypothesis.
    func step() throws {
        guard !isDone else { return }
        try withoutGradients {
            let device = model.device
            if found == nil { found = try prefixes.begin(cache, prompt: prompt) }
            let ids: [[Int]]
            let isReading = cache.length < prompt.count
            if isReading {
                ids = [Array(prompt[cache.length..<min(cache.length + chunk, prompt.count)])]
            } else {
                ids = search.live.map { [$0[$0.count - 1]] }
            }
            let shape = [ids.count, ids[0].count]
            let positions = ids.flatMap { cache.length..<(cache.length + $0.count) }
            let hidden = try model.hidden(
                Tensor(ids.flatMap { $0 }, shape: shape, device: device),
                positions: Tensor(positions, shape: shape, device: device), mask: .causal, cache: cache,
                compute: compute)
            guard cache.length >= prompt.count else { return }
            if isReading { try prefixes.insert(prompt, from: cache) }
            let rows = try LogitRows(
                model: model,
                hidden: hidden.narrow(dim: 1, start: shape[1] - 1, length: 1)
                    .reshape([shape[0], model.configuration.hiddenSize]),
                guide: guide, guidance: Array(repeating: settings.guidance, count: shape[0]))
            var scores: [[Float]] = []
            let live = search.live
            try rows.read { index, row, _ in scores.append(try logProbabilities(row, after: live[index])) }
            let parents = search.advance(scores)
            if !search.isDone, parents != Array(0..<ids.count) { try cache.keep(rows: parents) }
        }
    }

    /// ln softmax of the penalised logits at the temperature; 0 is taken as 1, since a beam is greedy by itself.
    private func logProbabilities(_ logits: UnsafeBufferPointer<Float>, after reply: [Int]) throws -> [Float] {
        var row = Array(logits)
        LogitAdjustments.apply(settings.penalties, prompt: prompt, reply: reply, to: &row)
        let best = try row.withUnsafeBufferPointer { $0[try TokenSampler.best($0)] }
        // Next to zero the quotient is infinite, and the best one's distance from itself, nought, times that is none.
        let inverse = settings.sampler.temperature > 0 ? 1 / settings.sampler.temperature : 1
        let scale = Float(min(inverse, Double(Float.greatestFiniteMagnitude)))
        var sum = 0.0
        for id in row.indices {
            row[id] = (row[id] - best) * scale
            sum += Double(exp(row[id]))
        }
        let total = Float(log(sum))
        for id in row.indices { row[id] -= total }
        return row
    }
}
