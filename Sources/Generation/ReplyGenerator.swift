import Conversations
import Foundation
import LanguageModels
import Synchronization
import Tokenizers
import Torch

/// Writes replies with a model folder: one of ours, or a published one with its tokenizer and chat template.
///
/// Single replies go through one scheduler with its prefix cache, whoever asks: they are continued together, and what
/// turns and requests have in common is computed once. Many histories given at once are drawn in padded batches of like
/// length, which is the faster way for thousands. Either way each reply has random numbers of its own, from its seed, so
/// it does not depend on what is drawn beside it. May be used from many tasks: they take turns by single steps.
public final class ReplyGenerator: TextGenerator {
    /// What a `Sampling` does not say.
    public struct Options: Sendable, Hashable {
        /// Replies drawn together by `replies(to:)`.
        public var batchSize: Int
        /// Most tokens of padded prompts in one batch, which bounds the memory of the first pass.
        public var batchTokens: Int
        /// Fewest tokens of a reply before it may end.
        public var minimumTokens: Int
        /// Only the k most probable tokens, where a `Sampling` does not say; 0 keeps all.
        public var topK: Int
        /// γ of the model's per-token classifier, where a `Sampling` does not say; `nil` takes the one that a model folder
        /// with such a classifier asks for, 0 switches it off.
        public var guidance: Double?
        /// Bounds of single replies.
        public var scheduler: BatchScheduler.Options

        public init(
            batchSize: Int = 64, batchTokens: Int = 16_384, minimumTokens: Int = 1, topK: Int = 0,
            guidance: Double? = nil, scheduler: BatchScheduler.Options = BatchScheduler.Options()
        ) {
            self.batchSize = max(1, batchSize)
            self.batchTokens = max(1, batchTokens)
            self.minimumTokens = minimumTokens
            self.topK = topK
            self.guidance = guidance
            self.scheduler = scheduler
        }
    }

    public let modelID: String
    public let format: any PromptFormat
    public let options: Options
    /// The front door for token ids: whoever uses it shares the batch and the prefix cache with the replies.
    public let scheduler: BatchScheduler
    private let model: any LanguageModels.Decoder
    private let guide: (any TokenGuide)?
    private let window: PromptWindow
    private let lane: ComputeLane
    private let compute: DType?
    private let endIDs: Set<Int>
    private let suppressedIDs: Set<Int>
    /// Makes what turns the ids of one reply into text.
    private let pieces: PieceDecoding
    /// Worked out when first asked for.
    private let sentenceEnds = Mutex<Set<Int>?>(nil)

    /// Loads a model folder, with DIRECTOR's head where it has one.
    /// - Parameters:
    ///   - modelID: kept with each reply; the folder's name when `nil`.
    ///   - dtype: type of the weights and of computing.
    ///   - packing: rounds the weight matrices to 8 or 4 bits, which reads faster; of 4 bits the head keeps 8. `nil` keeps the
    ///     weights as they are, in bfloat16 on the CPU in the order that the fast kernels read.
    ///   - lane: where to compute; its own unless models share one.
    ///   - now: what a chat template that asks for the date is told.
    /// - Throws: errors of `ModelFormats`, `Tokenizers` and `LanguageModels`; `GenerationError` `mismatch` when the
    ///   tokenizer has more tokens than the model.
    public convenience init(
        folder: URL, modelID: String? = nil, dtype: DType = .float32, packing: PackedWeight.Bits? = nil,
        device: Device = .cpu, options: Options = Options(), lane: ComputeLane = ComputeLane(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        let model = try PretrainedDecoder.load(folder: folder, dtype: dtype, device: device)
        let format = try PromptFormats.of(folder, ends: model.configuration.endIDs, now: now)
        try model.configuration.requireVocabulary(tokens: format.vocabulary.vocabularySize, in: folder)
        let guide =
            DirectorHead.isPresent(in: folder)
            ? try DirectorHead(folder: folder, for: model.configuration, dtype: dtype, device: device) : nil
        var options = options
        options.guidance = options.guidance ?? guide?.guidance
        let isServed = dtype == .bfloat16 && device == .cpu && PackedWeight.hasFastKernels
        if !model.isPacked, let packing = packing ?? (isServed ? .sixteen : nil) { try model.pack(packing) }
        try self.init(
            model: model, format: format, modelID: modelID ?? folder.lastPathComponent, options: options, lane: lane,
            guide: guide)
    }

    /// The type in which a folder's model generates fastest here: bfloat16 with packed weights, the fast kernels, or hardware that
    /// multiplies it; float32 elsewhere.
    public static func fastestType(
        _ folder: URL, packing: PackedWeight.Bits? = nil, device: Device = .cpu
    ) throws -> DType {
        let usesKernels =
            try device == .cpu && (PackedWeight.hasFastKernels || packing != nil || PretrainedDecoder.isPacked(folder))
        return usesKernels ? .bfloat16 : device.matrixType
    }

    /// - Parameters:
    ///   - guide: a per-token classifier, which steers where a `Sampling` has `guidance`.
    ///   - compute: type to compute in; `nil` is the weights' own.
    public init(
        model: any LanguageModels.Decoder, format: any PromptFormat, modelID: String, options: Options = Options(),
        lane: ComputeLane = ComputeLane(), guide: (any TokenGuide)? = nil, compute: DType? = nil
    ) throws {
        let (tokens, vocabulary) = (format.vocabulary.vocabularySize, model.configuration.vocabularySize)
        guard tokens <= vocabulary else {
            throw GenerationError(.mismatch, "the tokenizer has \(tokens) tokens, the model only \(vocabulary)")
        }
        self.model = model
        self.format = format
        self.modelID = modelID
        self.options = options
        self.lane = lane
        self.guide = guide
        self.compute = compute
        window = PromptWindow(format: format, contextLength: model.configuration.contextLength)
        let ends = Set(model.configuration.endIDs).union(format.endIDs)
        endIDs = ends
        // Tokens that the model has and the tokenizer lacks (padding of the matrix) are no text.
        suppressedIDs = Set(tokens..<vocabulary).union(format.vocabulary.specialTokens.keys).subtracting(ends)
        let (tokenizer, isTrimmed) = (format.vocabulary, format.beginsReplyWithSpace)
        let pieces: PieceDecoding = {
            let decoder = tokenizer.streamingDecoder()
            if isTrimmed { return TrimmedStart(decoder) }
            return decoder
        }
        self.pieces = pieces
        scheduler = BatchScheduler(
            model: model, pieces: pieces, guide: guide, options: options.scheduler, lane: lane, compute: compute)
    }

    // MARK: - Turns

    /// The prompt that a history becomes: as much of it as fits, ending where the reply begins.
    public func prompt(for turns: [Turn], sampling: Sampling) throws -> [Int] {
        try window.prompt(for: turns, replyTokens: sampling.maximumTokens)
    }

    public func reply(
        to turns: [Turn], sampling: Sampling, onPiece: (@Sendable (String) -> Void)? = nil
    ) async throws -> Reply {
        let request = TokenRequest(prompt: try prompt(for: turns, sampling: sampling), settings: try settings(sampling))
        guard sampling.topLogProbabilities != nil else {
            return Self.reply(try await completion(of: request, onPiece: onPiece))
        }
        guard sampling.beamCount == 1 else {
            throw GenerationError(.setting, "logprobs: a beam's tokens are not drawn one by one, so they have none")
        }
        let drawn = Mutex<[GeneratedToken]>([])
        let completion = try await completion(
            of: request, onToken: { token in drawn.withLock { $0.append(token) } }, onPiece: onPiece)
        var reply = Self.reply(completion)
        reply.tokens = drawn.withLock { $0 }.map(replyToken)
        return reply
    }

    func replyToken(_ token: GeneratedToken) -> ReplyToken {
        func candidate(_ id: Int, _ logProbability: Double) -> ReplyToken.Candidate {
            // A special token has no bytes of its own in a text; a reader of log-probabilities wants its name.
            let spelled = format.vocabulary.specialTokens[id].map { Array($0.utf8) }
            return ReplyToken.Candidate(
                bytes: spelled ?? Array(format.vocabulary.bytes(of: id)), logProbability: logProbability)
        }
        return ReplyToken(
            id: token.id, drawn: candidate(token.id, token.logProbability),
            top: token.top.map { candidate($0.id, $0.logProbability) }, piece: token.piece)
    }

    /// Tokens that a prompt may have where a reply is drawn so.
    public func promptRoom(for sampling: Sampling) -> Int { window.room(replyTokens: sampling.maximumTokens) }

    /// Checks that a model reads all of the last turn: what an endless chat may lose of its beginning, a single question
    /// must not.
    /// - Throws: `GenerationError` `promptTooLong`.
    public func requireRoom(for turns: [Turn], sampling: Sampling) throws {
        guard let last = turns.last else { return }
        let count = try format.prompt(for: [last], room: .max / 4).count
        let context = window.contextLength
        let room = window.room(replyTokens: sampling.maximumTokens)
        guard count <= room else {
            throw GenerationError(
                .promptTooLong,
                "the prompt takes \(count) tokens; of the model's context of \(context), \(context - room) are kept for the reply and \(room) left for the prompt"
            )
        }
    }

    public func replies(to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        let shared = try settings(sampling)
        guard shared.beamCount == 1 else {
            var result: [Reply] = []
            for history in histories { result.append(try await reply(to: history, sampling: sampling)) }
            return result
        }
        let prompts = try histories.map { try prompt(for: $0, sampling: sampling) }
        // Longest first, so that the largest batch fails early if memory is short.
        let order = prompts.indices.sorted { (prompts[$1].count, $0) < (prompts[$0].count, $1) }
        var result = [Reply?](repeating: nil, count: prompts.count)
        var start = 0
        while start < order.count {
            let rows = min(options.batchSize, max(1, options.batchTokens / max(prompts[order[start]].count, 1)))
            let part = order[start..<min(start + rows, order.count)]
            start += part.count
            let requests = part.map { place in
                var own = shared
                own.seed = sampling.seed &+ UInt64(place)
                return (prompt: prompts[place], settings: own)
            }
            let batch = try PaddedBatch(
                model: model, requests: requests, guide: guide, pieces: pieces, compute: compute)
            while !batch.isDone { try await lane.run { try batch.step() } }
            for (place, drawn) in zip(part, batch.replies) {
                let (text, isStopped) = self.text(of: drawn.ids, stops: shared.stops)
                result[place] = Reply(
                    text: text, finishReason: drawn.ended || isStopped ? "stop" : "length",
                    tokenCount: drawn.tokenCount, meanLogProbability: drawn.meanLogProbability,
                    promptTokenCount: prompts[place].count)
            }
        }
        return result.compactMap { $0 }
    }

    /// The best of several replies to one history; reply `i` uses seed `sampling.seed + i`. The prompt is read once.
    /// - Parameters:
    ///   - count: how many to draw; of a beam, how many hypotheses of the one search at most.
    ///   - ranking: how the scorer's numbers are used.
    ///   - scorer: a number for each of the replies, larger is better: a reward model, a classifier, a length.
    /// - Returns: the replies with their scores, best first; at least one.
    public func best(
        of count: Int, to turns: [Turn], sampling: Sampling, ranking: BestOf = .score,
        scorer: @Sendable ([Turn], [Reply]) async throws -> [Double]
    ) async throws -> [(reply: Reply, score: Double)] {
        guard (1...256).contains(count) else {
            throw GenerationError(.setting, "best_of is \(count), should be between 1 and 256")
        }
        let replies =
            sampling.beamCount > 1
            ? try await hypotheses(count, turns, sampling) : try await draws(count, turns, sampling)
        let scores = try await scorer(turns, replies)
        guard scores.count == replies.count else {
            throw GenerationError(.setting, "the scorer gave \(scores.count) numbers for \(replies.count) replies")
        }
        let own = replies.map { $0.meanLogProbability * Double($0.tokenCount) }
        return ranking.order(scores: scores, logProbabilities: own).map { (replies[$0], scores[$0]) }
    }

    private func draws(_ count: Int, _ turns: [Turn], _ sampling: Sampling) async throws -> [Reply] {
        try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
            for index in 0..<count {
                group.addTask {
                    var own = sampling
                    own.seed &+= UInt64(index)
                    return (index, try await self.reply(to: turns, sampling: own))
                }
            }
            var found = [Reply?](repeating: nil, count: count)
            for try await (index, reply) in group { found[index] = reply }
            return found.compactMap { $0 }
        }
    }

    private func hypotheses(_ count: Int, _ turns: [Turn], _ sampling: Sampling) async throws -> [Reply] {
        let request = TokenRequest(prompt: try prompt(for: turns, sampling: sampling), settings: try settings(sampling))
        return try await beam(request).prefix(count).map(Self.reply)
    }

    private static func reply(_ completion: Completion) -> Reply {
        Reply(
            text: completion.text, finishReason: completion.finishReason.rawValue, tokenCount: completion.tokenCount,
            meanLogProbability: completion.meanLogProbability, promptTokenCount: completion.promptTokenCount,
            cachedTokenCount: completion.cachedTokenCount)
    }

    // MARK: - Tokens

    /// A request's settings for this model: its ends, its marks, its sentence ends.
    /// - Throws: `GenerationError` `setting`.
    public func settings(_ sampling: Sampling) throws -> DecodingSettings {
        var sampling = sampling
        if sampling.topK == 0 { sampling.topK = options.topK }
        if sampling.guidance == 0, guide != nil { sampling.guidance = options.guidance ?? 0 }
        // What every reply should have gives way where this one may not be so long.
        sampling.minimumTokens = max(
            sampling.minimumTokens, min(options.minimumTokens, sampling.maximumTokens))
        sampling.stops += format.stops
        var settings = try DecodingSettings(
            sampling, endIDs: endIDs, suppressedIDs: suppressedIDs,
            sentenceEnds: sampling.factualNucleus == nil ? [] : endsOfSentences)
        settings.topLogProbabilities = sampling.topLogProbabilities ?? 0
        try settings.validate()
        return settings
    }

    /// Continues a prompt of token ids as it is requested, drawn or by beam search.
    /// - Parameters:
    ///   - onToken: called with each token as it is drawn; never for a beam, which is known at its end only.
    ///   - onPiece: called with each new piece of text; for a beam once with all of it.
    /// - Throws: `GenerationError`; `CancellationError` when the task is cancelled.
    public func completion(
        of request: TokenRequest, onToken: (@Sendable (GeneratedToken) -> Void)? = nil,
        onPiece: (@Sendable (String) -> Void)? = nil
    ) async throws -> Completion {
        if request.settings.beamCount > 1 {
            let best = try await beam(request)[0]
            if !best.text.isEmpty { onPiece?(best.text) }
            return best
        }
        for try await event in try await scheduler.events(for: request) {
            try Task.checkCancellation()
            switch event {
            case .token(let token):
                onToken?(token)
                if !token.piece.isEmpty { onPiece?(token.piece) }
            case .finished(let completion, let rest):
                if !rest.isEmpty { onPiece?(rest) }
                return completion
            }
        }
        // The stream ends early only when nobody is to read it.
        throw CancellationError()
    }

    /// The finished hypotheses, best first; at least one.
    private func beam(_ request: TokenRequest) async throws -> [Completion] {
        let search = try BeamDecoding(
            model: model, request: request, guide: guide, prefixes: scheduler.prefixes,
            chunk: options.scheduler.chunk, compute: compute)
        let tokens = request.settings.beamCount * (request.prompt.count + search.limit)
        try await scheduler.enter(beamTokens: tokens)
        do {
            while !search.isDone { try await lane.run { try search.step() } }
        } catch {
            await scheduler.leave(beamTokens: tokens)
            throw error
        }
        await scheduler.leave(beamTokens: tokens)
        let found = search.hypotheses.map { one in
            let (text, isStopped) = self.text(of: one.ids, stops: request.settings.stops)
            return Completion(
                ids: one.ids, text: text, finishReason: one.ended || isStopped ? .stop : .length,
                promptTokenCount: request.prompt.count,
                cachedTokenCount: search.found ?? 0, tokenCount: one.tokenCount, logProbability: one.logProbability)
        }
        guard !found.isEmpty else { throw GenerationError(.nothingLeft, "every token is forbidden") }
        return found
    }

    /// The text of ids up to the first stop string, and whether one came.
    private func text(of ids: [Int], stops: [String]) -> (text: String, isStopped: Bool) {
        var text = ReplyText(pieces, stops: stops)
        for id in ids { _ = text.append(id) }
        _ = text.finish()
        return (text.text, text.isStopped)
    }

    /// Tokens that are nothing but marks at which a sentence ends, white space aside.
    private var endsOfSentences: Set<Int> {
        sentenceEnds.withLock { known in
            if let known { return known }
            let found = Set(
                (0..<format.vocabulary.vocabularySize).filter { id in
                    let text = format.vocabulary.decode([id]).filter { !$0.isWhitespace }
                    return !text.isEmpty && text.allSatisfy { ".?!".contains($0) }
                })
            known = found
            return found
        }
    }
}
