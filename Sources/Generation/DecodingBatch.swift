import LanguageModels
import Torch

/// A reply as it was drawn.
public struct DrawnReply: Sendable, Hashable {
    /// Without the token that ended it.
    public var ids: [Int]
    /// Whether the model ended it, or the limit did.
    public var ended: Bool
    /// Tokens drawn, the end included.
    public var tokenCount: Int
    /// Sum over the drawn tokens at temperature 1, in nats.
    public var logProbability: Double

    /// Per drawn token, in nats.
    public var meanLogProbability: Double { tokenCount > 0 ? logProbability / Double(tokenCount) : 0 }
}

/// Replies to several prompts drawn together, one token of each per step.
///
/// Prompts are padded on the left, so that all rows go on at the same column; padding is masked and positions count from
/// each prompt's own start, so a reply is the same as drawn alone (up to rounding). Rows that are done leave.
///
/// Owned by one request and stepped in the lane: never used by two threads at once.
final class DecodingBatch: @unchecked Sendable {
    private struct Row {
        /// Place among the prompts.
        let place: Int
        let padding: Int
        let promptLength: Int
        /// Most tokens of this reply: its own context may be full before the others'.
        let limit: Int
        var randomness: ReplyRandomness
        var reply = DrawnReply(ids: [], ended: false, tokenCount: 0, logProbability: 0)
        var next: Int
        var isDone = false
    }

    private let model: any Decoder
    private let sampler: TokenSampler
    private let rules: DrawingRules
    private let prompts: [[Int]]
    private let compute: DType?
    private let cache: KVCache
    /// Length of the longest prompt.
    private let columns: Int
    /// Columns of prompts and replies together, at most.
    private let room: Int
    /// Rows in the model's batch, in its order; some may be done and wait to be thrown out.
    private var rows: [Row]
    private var finished: [DrawnReply?]
    /// bool [B, 1, 1, all columns]; `nil` when no row is padded.
    private var visible: Tensor?
    private var hasStarted = false

    /// - Parameters:
    ///   - prompts: none empty.
    ///   - seeds: one for each prompt.
    ///   - compute: type to compute in; `nil` is the weights' own.
    init(
        model: any Decoder, prompts: [[Int]], seeds: [UInt64], sampler: TokenSampler, rules: DrawingRules,
        compute: DType? = nil
    ) throws {
        let vocabulary = model.configuration.vocabularySize
        guard prompts.count == seeds.count, prompts.allSatisfy({ !$0.isEmpty }) else {
            throw GenerationError(.setting, "every reply needs a prompt of one token or more, and a seed")
        }
        for prompt in prompts {
            if let stray = prompt.first(where: { !(0..<vocabulary).contains($0) }) {
                throw GenerationError(.mismatch, "token \(stray) is beyond the model's vocabulary of \(vocabulary)")
            }
        }
        self.model = model
        self.prompts = prompts
        self.sampler = sampler
        self.rules = rules
        self.compute = compute
        let columns = prompts.map(\.count).max() ?? 0
        self.columns = columns
        rows = zip(prompts, seeds).enumerated().map { place, pair in
            Row(
                place: place, padding: columns - pair.0.count, promptLength: pair.0.count,
                limit: min(rules.maximumTokens, max(model.configuration.contextLength - pair.0.count, 1)),
                randomness: ReplyRandomness(seed: pair.1), next: 0)
        }
        finished = Array(repeating: nil, count: prompts.count)
        room = columns + (rows.map(\.limit).max() ?? 0)
        cache = KVCache(layers: model.configuration.layerCount, capacity: room)
    }

    var isDone: Bool { rows.allSatisfy(\.isDone) || rules.maximumTokens < 1 }

    /// The replies in the order of the prompts, once all are done.
    var replies: [DrawnReply] {
        var result = finished
        for row in rows { result[row.place] = row.reply }
        return result.compactMap { $0 }
    }

    /// What the reply to one prompt holds so far.
    func ids(of place: Int) -> [Int] {
        finished[place]?.ids ?? rows.first { $0.place == place }?.reply.ids ?? []
    }

    /// Draws the next token of every reply.
    func step() throws {
        guard !isDone else { return }
        try withoutGradients {
            let hidden = try hasStarted ? advance() : prefill()
            hasStarted = true
            let logits = try model.logits(hidden.reshape([rows.count, model.configuration.hiddenSize])).to(.float32)
            let totals = try logits.logSumExp(dim: -1).floats()
            let width = model.configuration.vocabularySize
            try logits.withBytes { bytes in
                let values = bytes.bindMemory(to: Float.self)
                for index in rows.indices where !rows[index].isDone {
                    let row = UnsafeBufferPointer(rebasing: values[(index * width)..<((index + 1) * width)])
                    try draw(index, row, total: totals[index])
                }
            }
        }
        try leave()
    }

    private func draw(_ index: Int, _ logits: UnsafeBufferPointer<Float>, total: Float) throws {
        let id = try sampler.draw(
            logits, forbidden: rules.forbidden(after: rows[index].reply.ids), unit: rows[index].randomness.unit())
        rows[index].next = id
        rows[index].reply.tokenCount += 1
        rows[index].reply.logProbability += Double(logits[id]) - Double(total)
        if rules.endIDs.contains(id) {
            rows[index].reply.ended = true
            rows[index].isDone = true
        } else {
            rows[index].reply.ids.append(id)
            rows[index].isDone = rows[index].reply.tokenCount >= rows[index].limit
        }
    }

    /// All prompts at once; gives the hidden states after each one's last token.
    private func prefill() throws -> Tensor {
        let pad = model.configuration.padID ?? 0
        var ids: [Int] = []
        var positions: [Int] = []
        for (row, prompt) in zip(rows, prompts) {
            ids += repeatElement(pad, count: row.padding) + prompt
            positions += repeatElement(0, count: row.padding) + Array(prompt.indices)
        }
        let device = model.device
        var mask = AttentionMask.causal
        if rows.contains(where: { $0.padding > 0 }) {
            let column = try Tensor.arange(room, device: device)
            let first = try Tensor(rows.map(\.padding), shape: [rows.count, 1, 1, 1], device: device)
            visible = try column.reshape([1, 1, 1, -1]).greaterOrEqual(to: first)
            // Everything not later and not padding. Padding sees itself, or its row would have nothing to average
            // and turn into NaN, which no mask keeps out of the sums of later layers.
            let key = try column.narrow(dim: 0, start: 0, length: columns).reshape([1, 1, 1, columns])
            let query = try key.reshape([1, 1, columns, 1])
            let real = try key.greaterOrEqual(to: first).logicalAnd(key.lessOrEqual(to: query))
            mask = .explicit(try real.logicalOr(key.equal(to: query)))
        }
        let shape = [rows.count, columns]
        let hidden = try model.hidden(
            Tensor(ids, shape: shape, device: device), positions: Tensor(positions, shape: shape, device: device),
            mask: mask, cache: cache, compute: compute)
        return try hidden.narrow(dim: 1, start: columns - 1, length: 1)
    }

    /// The tokens just drawn; a row that is done goes on with what it has until it leaves, and nobody looks at it.
    private func advance() throws -> Tensor {
        let device = model.device
        let shape = [rows.count, 1]
        let positions = rows.map {
            min($0.promptLength + cache.length - columns, model.configuration.contextLength - 1)
        }
        let mask = try visible.map {
            AttentionMask.explicit(try $0.narrow(dim: 3, start: 0, length: cache.length + 1))
        }
        return try model.hidden(
            Tensor(rows.map(\.next), shape: shape, device: device),
            positions: Tensor(positions, shape: shape, device: device), mask: mask ?? .causal, cache: cache,
            compute: compute)
    }

    /// Throws out rows that are done once they are a quarter of the batch: moving the cache costs something too.
    private func leave() throws {
        let staying = rows.indices.filter { !rows[$0].isDone }
        guard !staying.isEmpty, staying.count * 4 <= rows.count * 3 else { return }
        for row in rows where row.isDone { finished[row.place] = row.reply }
        try withoutGradients {
            try cache.keep(rows: staying)
            visible = try visible.map { try $0.indexSelect(dim: 0, index: Tensor(staying, device: $0.device)) }
        }
        rows = staying.map { rows[$0] }
    }
}
