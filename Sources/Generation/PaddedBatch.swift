import LanguageModels
import Torch

/// Replies to several prompts drawn together, one token of each per step.
///
/// Prompts are padded on the left, so that all rows go on at the same column; padding is masked and positions count from
/// each prompt's own start, so a reply is the same as drawn alone (up to rounding). Rows that are done leave.
///
/// Owned by one request and stepped in the lane: never used by two threads at once.
final class PaddedBatch: @unchecked Sendable {
    private struct Row {
        /// Place among the prompts.
        let place: Int
        let padding: Int
        var drawing: TokenDrawing
        /// Only where a text may end the reply.
        var text: ReplyText?

        var promptLength: Int { drawing.prompt.count }
    }

    private let model: any Decoder
    private let guide: (any TokenGuide)?
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
    ///   - requests: prompts, none empty, with how each is continued.
    ///   - pieces: makes what turns ids into text, for stop strings.
    ///   - compute: type to compute in; `nil` is the weights' own.
    init(
        model: any Decoder, requests: [(prompt: [Int], settings: DecodingSettings)], guide: (any TokenGuide)? = nil,
        pieces: PieceDecoding? = nil, compute: DType? = nil
    ) throws {
        self.model = model
        self.guide = guide
        self.compute = compute
        let configuration = model.configuration
        let columns = requests.map(\.prompt.count).max() ?? 0
        self.columns = columns
        rows = try requests.enumerated().map { place, request in
            Row(
                place: place, padding: columns - request.prompt.count,
                drawing: try TokenDrawing(
                    prompt: request.prompt, settings: request.settings, vocabularySize: configuration.vocabularySize,
                    contextLength: configuration.contextLength),
                text: request.settings.stops.isEmpty ? nil : ReplyText(pieces, stops: request.settings.stops))
        }
        finished = Array(repeating: nil, count: requests.count)
        room = columns + (rows.map(\.drawing.limit).max() ?? 0)
        cache = KVCache(layers: configuration.layerCount, capacity: room)
    }

    var isDone: Bool { rows.allSatisfy(\.drawing.isDone) }

    /// The replies in the order of the prompts, once all are done.
    var replies: [DrawnReply] {
        var result = finished
        for row in rows { result[row.place] = row.drawing.reply }
        return result.compactMap { $0 }
    }

    /// Draws the next token of every reply.
    func step() throws {
        guard !isDone else { return }
        try withoutGradients {
            let hidden = try hasStarted ? advance() : prefill()
            hasStarted = true
            let rowsOfLogits = try LogitRows(
                model: model, hidden: hidden.reshape([rows.count, model.configuration.hiddenSize]), guide: guide,
                guidance: rows.map(\.drawing.settings.guidance))
            try rowsOfLogits.read { index, logits, total in
                if !rows[index].drawing.isDone { try draw(index, logits, total) }
            }
        }
        try leave()
    }

    private func draw(_ index: Int, _ logits: UnsafeBufferPointer<Float>, _ total: Float) throws {
        let drawn = try rows[index].drawing.draw(logits, total: total).token
        guard rows[index].text != nil, !rows[index].drawing.reply.ended else { return }
        _ = rows[index].text?.append(drawn.id)
        if rows[index].text?.isStopped == true { rows[index].drawing.stop() }
    }

    /// All prompts at once; gives the hidden states after each one's last token.
    private func prefill() throws -> Tensor {
        let pad = model.configuration.padID ?? 0
        var ids: [Int] = []
        var positions: [Int] = []
        for row in rows {
            ids += repeatElement(pad, count: row.padding) + row.drawing.prompt
            positions += repeatElement(0, count: row.padding) + Array(0..<row.promptLength)
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
            Tensor(rows.map(\.drawing.next), shape: shape, device: device),
            positions: Tensor(positions, shape: shape, device: device), mask: mask ?? .causal, cache: cache,
            compute: compute)
    }

    /// Throws out rows that are done once they are a quarter of the batch: moving the cache costs something too.
    private func leave() throws {
        let staying = rows.indices.filter { !rows[$0].drawing.isDone }
        guard !staying.isEmpty, staying.count * 4 <= rows.count * 3 else { return }
        for row in rows where row.drawing.isDone { finished[row.place] = row.drawing.reply }
        try withoutGradients {
            try cache.keep(rows: staying)
            visible = try visible.map { try $0.indexSelect(dim: 0, index: Tensor(staying, device: $0.device)) }
        }
        rows = staying.map { rows[$0] }
    }
}
