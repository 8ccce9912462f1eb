import LanguageModels
import Synchronization
import Torch

/// Continues many requests with one model at a time (continuous batching): requests join and leave between any two steps.
///
/// First come, first served; every running request gets one token per step, and long prompts are read in chunks between
/// them. A request that stops being listened to is gone before the next step. Beyond `maximumWaiting` requests are
/// refused with `busy`. A reply is what its prompt and seed give alone: bit for bit with packed weights and the fast kernels, which
/// compute each token in the same way whatever is beside it; in float32 the greedy ids are the same, and draws are unless a
/// number falls within rounding of an edge; in bfloat16 by libtorch the sums of a batch round differently from those of one row, so
/// near-equal tokens may change places.
public actor BatchScheduler {
    /// Bounds of what is taken on.
    public struct Options: Sendable, Hashable {
        /// Most requests continued together.
        public var maximumRunning: Int
        /// Most requests that wait beside them.
        public var maximumWaiting: Int
        /// Most tokens of prompts and replies, with room to come, that the running requests hold keys and values of. One
        /// request is always let in.
        public var maximumTokens: Int
        /// Most tokens of prompts read in one step: the longest that the others wait for it.
        public var chunk: Int
        /// Most bytes of keys and values that are kept for later requests; 0 keeps none.
        public var prefixBytes: Int

        public init(
            maximumRunning: Int = 16, maximumWaiting: Int = 256, maximumTokens: Int = 65_536, chunk: Int = 256,
            prefixBytes: Int = 256 << 20
        ) {
            self.maximumRunning = max(maximumRunning, 1)
            self.maximumWaiting = max(maximumWaiting, 0)
            self.maximumTokens = max(maximumTokens, 1)
            self.chunk = max(chunk, 1)
            self.prefixBytes = max(prefixBytes, 0)
        }
    }

    /// What it is doing now, for metrics.
    public struct Status: Sendable, Hashable {
        public var running: Int
        public var waiting: Int
        /// Tokens of prompts so far, and those of them that had been computed before.
        public var promptTokens: Int
        public var cachedTokens: Int
        /// Tokens drawn so far.
        public var generatedTokens: Int
        /// Requests refused so far because too many were waiting.
        public var refused: Int
        /// Bytes of keys and values in the prefix cache after the last step, and how many it may hold.
        public var cacheBytes: Int
        public var cacheCapacity: Int
        /// From a request to its place in the batch, from a request to its first token, and from a token to the next.
        public var queueTimes: DurationHistogram
        public var firstTokenTimes: DurationHistogram
        public var tokenTimes: DurationHistogram
    }

    /// Says that nobody listens any more.
    private final class Cancellation: Sendable {
        private let flag = Atomic(false)
        var isCancelled: Bool { flag.load(ordering: .acquiring) }
        func cancel() { flag.store(true, ordering: .releasing) }
    }

    private struct Job {
        let id: UInt64
        let drawing: TokenDrawing
        let continuation: AsyncThrowingStream<GenerationEvent, any Error>.Continuation
        let cancellation: Cancellation
        let askedAt: ContinuousClock.Instant
        /// Tokens drawn so far, and when the last one came.
        var drawn = 0
        var drawnAt: ContinuousClock.Instant?

        var tokens: Int { drawing.prompt.count + drawing.limit }
        var isCancelled: Bool { cancellation.isCancelled }
    }

    public nonisolated let options: Options
    nonisolated let prefixes: PrefixCache
    private let batch: RaggedBatch
    private let lane: ComputeLane
    private let vocabularySize: Int
    private let contextLength: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private var waiting: [Job] = []
    private var running: [Job] = []
    private var lastID: UInt64 = 0
    private var isStepping = false
    /// Of all hypotheses of the beams searched now.
    private var beamTokens = 0
    /// Of the last steps, weighing late ones most.
    private var secondsPerStep = 0.05
    private var total = (prompt: 0, cached: 0, generated: 0, refused: 0)
    private var cacheBytes = 0
    private var times = (queue: DurationHistogram(), firstToken: DurationHistogram(), token: DurationHistogram())

    /// - Parameters:
    ///   - pieces: makes what turns ids into text; `nil` for ids alone, without stop strings.
    ///   - guide: a per-token classifier, used by requests whose `guidance` is not 0.
    ///   - lane: where it computes, shared with whatever else computes.
    ///   - compute: type to compute in; `nil` is the weights' own.
    ///   - now: the time, by which steps are measured for the hint of a `busy` error.
    public init(
        model: any Decoder, pieces: PieceDecoding? = nil, guide: (any TokenGuide)? = nil, options: Options = Options(),
        lane: ComputeLane = ComputeLane(), compute: DType? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.options = options
        self.lane = lane
        self.now = now
        prefixes = PrefixCache(capacity: options.prefixBytes)
        batch = RaggedBatch(
            model: model, pieces: pieces, guide: guide, prefixes: prefixes, chunk: options.chunk, compute: compute)
        vocabularySize = model.configuration.vocabularySize
        contextLength = model.configuration.contextLength
    }

    /// Takes a request on. Letting go of the stream ends it, and so does cancelling the task that reads it.
    /// - Returns: a token at a time, and `finished` at the end.
    /// - Throws: `GenerationError`: `busy` with a hint when to come again, `setting` for settings out of range (beams are
    ///   not continued here), `mismatch` or `promptTooLong` for a prompt that the model cannot read.
    public func events(
        for request: TokenRequest
    ) throws -> AsyncThrowingStream<GenerationEvent, any Error> {
        try request.settings.validate()
        guard request.settings.beamCount == 1 else {
            throw GenerationError(.setting, "num_beams is \(request.settings.beamCount): a beam cannot be streamed")
        }
        let drawing = try TokenDrawing(
            prompt: request.prompt, settings: request.settings, vocabularySize: vocabularySize,
            contextLength: contextLength)
        waiting.removeAll(where: \.isCancelled)
        guard running.count + waiting.count < options.maximumRunning + options.maximumWaiting else {
            total.refused += 1
            throw GenerationError(
                .busy, "\(waiting.count) requests are waiting already", retryAfter: secondsUntilRoom)
        }
        let (stream, continuation) = AsyncThrowingStream<GenerationEvent, any Error>.makeStream()
        let cancellation = Cancellation()
        continuation.onTermination = { reason in
            if case .cancelled = reason { cancellation.cancel() }
        }
        lastID += 1
        waiting.append(
            Job(
                id: lastID, drawing: drawing, continuation: continuation, cancellation: cancellation, askedAt: now()))
        if !isStepping {
            isStepping = true
            Task { await self.work() }
        }
        return stream
    }

    /// Takes note of a beam, which computes beside the batch in the same lane and counts against the same memory.
    /// - Throws: `GenerationError` `busy` where it does not fit; one is always let in.
    func enter(beamTokens tokens: Int) throws {
        guard beamTokens == 0 || beamTokens + tokens <= options.maximumTokens else {
            total.refused += 1
            throw GenerationError(.busy, "too many beams are being searched", retryAfter: secondsUntilRoom)
        }
        beamTokens += tokens
    }

    func leave(beamTokens tokens: Int) { beamTokens -= tokens }

    /// What it is doing now.
    public var status: Status {
        Status(
            running: running.count { !$0.isCancelled }, waiting: waiting.count { !$0.isCancelled },
            promptTokens: total.prompt, cachedTokens: total.cached, generatedTokens: total.generated,
            refused: total.refused, cacheBytes: cacheBytes, cacheCapacity: prefixes.capacity,
            queueTimes: times.queue, firstTokenTimes: times.firstToken, tokenTimes: times.token)
    }

    // MARK: - Steps

    /// Steps until nothing is left to do.
    private func work() async {
        while true {
            arrange()
            guard !running.isEmpty else { break }
            let (batch, prefixes) = (batch, prefixes)
            let start = now()
            do {
                // The cache is looked at where it is used: in the lane.
                let (progress, bytes) = try await lane.run { (batch.step(), prefixes.byteCount) }
                cacheBytes = bytes
                let end = now()
                let duration = start.duration(to: end).components
                let seconds = Double(duration.seconds) + Double(duration.attoseconds) / 1e18
                secondsPerStep += 0.1 * (seconds - secondsPerStep)
                for one in progress { deliver(one, at: end) }
            } catch {
                for job in running { job.continuation.finish(throwing: error) }
                batch.leave(Set(running.map(\.id)))
                running = []
            }
        }
        isStepping = false
    }

    /// Lets go of what nobody listens to, and takes in what has waited longest.
    private func arrange() {
        let gone = Set(running.lazy.filter(\.isCancelled).map(\.id))
        if !gone.isEmpty {
            batch.leave(gone)
            running.removeAll { gone.contains($0.id) }
        }
        waiting.removeAll(where: \.isCancelled)
        var tokens = running.reduce(0) { $0 + $1.tokens }
        while let next = waiting.first, running.count < options.maximumRunning,
            running.isEmpty || tokens + next.tokens <= options.maximumTokens
        {
            waiting.removeFirst()
            times.queue.add(next.askedAt.duration(to: now()))
            running.append(next)
            tokens += next.tokens
            batch.join(next.id, next.drawing)
        }
    }

    private func deliver(_ progress: RaggedBatch.Progress, at time: ContinuousClock.Instant) {
        guard let index = running.firstIndex(where: { $0.id == progress.id }) else { return }
        let continuation = running[index].continuation
        running[index].drawn += 1
        total.generated += 1
        if let last = running[index].drawnAt {
            times.token.add(last.duration(to: time))
        } else {
            times.firstToken.add(running[index].askedAt.duration(to: time))
        }
        running[index].drawnAt = time
        if progress.isDone { running.remove(at: index) }
        switch progress.event {
        case .success(let events):
            for event in events {
                if case .finished(let completion, _) = event {
                    total.prompt += completion.promptTokenCount
                    total.cached += completion.cachedTokenCount
                }
                continuation.yield(event)
            }
            if progress.isDone { continuation.finish() }
        case .failure(let error):
            continuation.finish(throwing: error)
        }
    }

    /// When a place should be free, if replies are as long as they may be.
    private var secondsUntilRoom: Int {
        let steps = running.map { $0.drawing.limit - $0.drawn }.min() ?? 1
        let turns = 1 + waiting.count / options.maximumRunning
        return min(max(Int((Double(steps * turns) * secondsPerStep).rounded(.up)), 1), 60)
    }
}
