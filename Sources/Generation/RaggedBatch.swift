import LanguageModels
import Torch

/// Sequences of different lengths that are continued together, and may join or leave between any two steps.
///
/// The new tokens of all sequences stand one behind the other in a single row (Orca: Yu et al. 2022, "iteration-level
/// scheduling"): one each of those being drawn, and a chunk each of prompts still being read. The matrices see them all at
/// once; attention runs per sequence over its own keys and values. So nothing is padded, a long prompt is read in chunks
/// between the others' tokens, and each sequence gets the numbers it would get alone, up to rounding.
///
/// Stepped inside the lane by one scheduler: never used by two threads at once.
final class RaggedBatch: @unchecked Sendable {
    /// What a step did for one sequence.
    struct Progress: Sendable {
        var id: UInt64
        var event: Result<[GenerationEvent], any Error>
        var isDone: Bool
    }

    private struct Row {
        let id: UInt64
        var drawing: TokenDrawing
        var text: ReplyText
        let cache: KVCache
        /// Tokens found in the prefix cache; `nil` before the first chunk.
        var found: Int?

        /// Tokens of the prompt that the model has not seen.
        var unread: Int { drawing.prompt.count - cache.length }
        var isReading: Bool { drawing.reply.tokenCount == 0 }
    }

    let prefixes: PrefixCache
    private let model: any Decoder
    private let guide: (any TokenGuide)?
    private let pieces: PieceDecoding?
    private let compute: DType?
    /// Most tokens of prompts in one step, over all sequences.
    private let chunk: Int
    /// In the order of joining.
    private var rows: [Row] = []

    init(
        model: any Decoder, pieces: PieceDecoding?, guide: (any TokenGuide)?, prefixes: PrefixCache, chunk: Int,
        compute: DType?
    ) {
        self.model = model
        self.pieces = pieces
        self.guide = guide
        self.prefixes = prefixes
        self.chunk = max(chunk, 1)
        self.compute = compute
    }

    /// Takes a sequence in; its first chunk is read in the next step.
    func join(_ id: UInt64, _ drawing: TokenDrawing) {
        rows.append(
            Row(
                id: id, drawing: drawing, text: ReplyText(pieces, stops: drawing.settings.stops),
                cache: KVCache(
                    layers: model.configuration.layerCount,
                    capacity: drawing.prompt.count + min(drawing.limit, 256))))
    }

    /// Lets sequences go, whatever they are doing.
    func leave(_ ids: Set<UInt64>) { rows.removeAll { ids.contains($0.id) } }

    /// One pass of the model: every sequence that has read its prompt gets its next token.
    func step() -> [Progress] {
        let runs: [(index: Int, count: Int)]
        do {
            runs = try plan()
            guard !runs.isEmpty else { return [] }
            return try withoutGradients { try pass(runs) }
        } catch {
            // The engine failed for all; what each had is of no use any more.
            defer { rows.removeAll() }
            return rows.map { Progress(id: $0.id, event: .failure(error), isDone: true) }
        }
    }

    /// How many new tokens of which sequence the model sees in this step.
    private func plan() throws -> [(index: Int, count: Int)] {
        var readers: [Int] = []
        for index in rows.indices where rows[index].isReading {
            if rows[index].found == nil {
                // Someone ahead is reading the same beginning: it will be there for the taking when they are done.
                if prefixes.capacity > 0, !readers.isEmpty {
                    let prompt = rows[index].drawing.prompt
                    let known = prefixes.matchCount(prompt)
                    if readers.contains(where: { shared(rows[$0].drawing.prompt, prompt) > known + 16 }) { continue }
                }
                rows[index].found = try prefixes.begin(rows[index].cache, prompt: rows[index].drawing.prompt)
            }
            readers.append(index)
        }
        // The room for prompts is shared out evenly; what one does not need the next may have.
        var room = chunk
        var counts: [Int: Int] = [:]
        for (place, index) in readers.sorted(by: { rows[$0].unread < rows[$1].unread }).enumerated() where room > 0 {
            let count = min(rows[index].unread, max(1, room / (readers.count - place)))
            counts[index] = count
            room -= count
        }
        return rows.indices.compactMap { index in
            rows[index].isReading ? counts[index].map { (index, $0) } : (index, 1)
        }
    }

    private func shared(_ a: [Int], _ b: [Int]) -> Int {
        var count = 0
        while count < min(a.count, b.count), a[count] == b[count] { count += 1 }
        return count
    }

    private func pass(_ runs: [(index: Int, count: Int)]) throws -> [Progress] {
        var (ids, positions, ends, drawers): ([Int], [Int], [Int], [Int]) = ([], [], [], [])
        for (index, count) in runs {
            let row = rows[index]
            let start = row.cache.length
            ids += row.isReading ? Array(row.drawing.prompt[start..<(start + count)]) : [row.drawing.next]
            positions += start..<(start + count)
            if !row.isReading || row.unread == count {
                ends.append(ids.count - 1)
                drawers.append(index)
            }
        }
        let device = model.device
        let hidden = try model.hidden(
            Tensor(ids, shape: [1, ids.count], device: device),
            positions: Tensor(positions, shape: [1, ids.count], device: device), mask: .causal,
            cache: KVCache(packing: runs.map { (rows[$0.index].cache, $0.count) }), compute: compute)
        guard !drawers.isEmpty else { return [] }
        var states = try hidden.reshape([ids.count, model.configuration.hiddenSize])
        if ends.count < ids.count { states = try states.indexSelect(dim: 0, index: Tensor(ends, device: device)) }
        let logits = try LogitRows(
            model: model, hidden: states, guide: guide, guidance: drawers.map { rows[$0].drawing.settings.guidance })
        var progress: [Progress] = []
        try logits.read { place, row, total in progress.append(draw(drawers[place], row, total)) }
        let done = Set(progress.lazy.filter(\.isDone).map(\.id))
        if !done.isEmpty { leave(done) }
        return progress
    }

    /// A fault in one sequence's logits ends that one only.
    private func draw(_ index: Int, _ logits: UnsafeBufferPointer<Float>, _ total: Float) -> Progress {
        let id = rows[index].id
        do {
            if rows[index].isReading { try prefixes.insert(rows[index].drawing.prompt, from: rows[index].cache) }
            let (token, top) = try rows[index].drawing.draw(logits, total: total)
            var events: [GenerationEvent] = []
            if !rows[index].drawing.reply.ended {
                let piece = rows[index].text.append(token.id)
                if rows[index].text.isStopped { rows[index].drawing.stop() }
                events.append(
                    .token(GeneratedToken(id: token.id, piece: piece, logProbability: token.logProbability, top: top)))
            }
            if rows[index].drawing.isDone { events.append(try finish(index)) }
            return Progress(id: id, event: .success(events), isDone: rows[index].drawing.isDone)
        } catch {
            return Progress(id: id, event: .failure(error), isDone: true)
        }
    }

    private func finish(_ index: Int) throws -> GenerationEvent {
        let rest = rows[index].text.finish()
        let row = rows[index]
        let reply = row.drawing.reply
        // The next turn begins with this one. The last token was drawn but never seen.
        try prefixes.insert(Array((row.drawing.prompt + reply.ids).prefix(row.cache.length)), from: row.cache)
        return .finished(
            Completion(
                ids: reply.ids, text: row.text.text,
                finishReason: reply.ended || row.text.isStopped ? .stop : .length,
                promptTokenCount: row.drawing.prompt.count, cachedTokenCount: row.found ?? 0,
                tokenCount: reply.tokenCount, logProbability: reply.logProbability),
            rest: rest)
    }
}
