import Conversations
import Deidentification
import Foundation
import HTTPTypes
import Storage

/// Hands items to raters and takes their answers.
///
/// What there is to rate is read from the store now and then; answers are in the store before they are acknowledged.
actor RatingBoard {
    let store: any OfficeStore
    let deidentifier: Deidentifier
    let now: @Sendable () -> Date
    /// Raters that each item goes to.
    private let raters: Int
    /// How old the list of items may be, in seconds.
    private let freshness: TimeInterval
    /// Latest conversations looked at for items.
    private let reach: Int

    private var queue: RatingQueue
    private var gold: [String: [GoldAnswer]] = [:]
    private var readAt: Date?
    private var reading: Task<Void, any Error>?
    /// What was answered since `reading` began.
    private var meanwhile: [(inout RatingQueue, inout [String: [GoldAnswer]]) -> Void] = []
    /// Called between reading the store and knowing what it said; for tests.
    private let whenRead: @Sendable () async -> Void
    /// Items a rater passed over, until the server stops; bounded.
    private var skipped: [String: Set<String>] = [:]

    init(
        store: any OfficeStore, deidentifier: Deidentifier, raters: Int, freshness: TimeInterval = 300,
        reach: Int = 2000, now: @escaping @Sendable () -> Date, whenRead: @escaping @Sendable () async -> Void = {}
    ) {
        self.store = store
        self.deidentifier = deidentifier
        self.raters = raters
        self.freshness = freshness
        self.reach = reach
        self.now = now
        self.whenRead = whenRead
        queue = RatingQueue(raters: raters)
    }

    // MARK: What there is to rate

    /// Reads items and ratings from the store when what is known is old.
    private func refresh(isForced: Bool = false) async throws {
        if !isForced, let readAt, now().timeIntervalSince(readAt) < freshness { return }
        if let reading { return try await reading.value }
        let task = Task { try await readAnew() }
        reading = task
        try await task.value
    }

    private func readAnew() async throws {
        defer {
            reading = nil
            meanwhile = []
        }
        let time = now()
        var (queue, gold) = try await Self.read(store, raters: raters, reach: reach)
        await whenRead()
        // The store may have been read before these were in it: who gave them would be asked the same again.
        for change in meanwhile { change(&queue, &gold) }
        (self.queue, self.gold) = (queue, gold)
        readAt = time
    }

    /// Changes what is known, and what a reading that goes on right now will bring.
    private func know(_ change: @escaping (inout RatingQueue, inout [String: [GoldAnswer]]) -> Void) {
        change(&queue, &gold)
        if reading != nil { meanwhile.append(change) }
    }

    private static func read(
        _ store: any OfficeStore, raters: Int, reach: Int
    ) async throws -> (RatingQueue, [String: [GoldAnswer]]) {
        var queue = RatingQueue(raters: raters)
        let newest = try await store.models().sorted { ($0.firstAt, $0.model) > ($1.firstAt, $1.model) }.prefix(2)
            .map(\.model)
        var whole: [String: [String]] = [:]
        var place: TouchedConversation.Place?
        var looked = 0
        while looked < reach {
            let page = try await store.latest(after: place, limit: 100, since: nil, isDisliked: false)
            for touched in page {
                let conversation = touched.conversation
                queue.add(conversation, compared: newest.count == 2 ? Set(newest) : [])
                let replies = conversation.messages.filter { $0.sender == .bot && !$0.isSafetyControlled }
                let models = Set(replies.map { $0.generation?.model ?? "" })
                // Long enough to judge a speaker by, and all by one model.
                if replies.count >= 2, models.count == 1, let model = models.first, newest.contains(model) {
                    whole[model, default: []].append(conversation.id)
                }
            }
            looked += page.count
            guard let last = page.last, page.count == 100 else { break }
            place = last.place
        }
        if newest.count == 2 { queue.add(conversations: whole, of: (newest[0], newest[1])) }
        // Every rating has a word on `good`, whatever it is.
        for annotation in try await store.annotations(label: RatingLabel.good.rawValue) {
            queue.note(
                RatingQueue.Reply(
                    conversationID: annotation.conversationID, messageID: annotation.messageID, priority: 0
                ).item, ratedBy: annotation.rater)
        }
        for vote in try await store.pairVotes() { queue.note(vote.pair, ratedBy: vote.rater) }
        let gold = Dictionary(grouping: try await store.goldAnswers(), by: \.rater)
        queue.reliable = Self.reliable(gold)
        return (queue, gold)
    }

    /// Raters whose words count: past an introduction, and not marked in either task.
    static func reliable(_ gold: [String: [GoldAnswer]]) -> Set<String> {
        Set(
            gold.filter { _, answers in
                RatingTask.allCases.contains { RaterStanding(answers, task: $0).counts }
                    && RatingTask.allCases.allSatisfy { !RaterStanding(answers, task: $0).isMarked }
            }.keys)
    }

    // MARK: Asking

    /// The next thing for a rater.
    func next(_ task: RatingTask, for rater: String) async throws -> RatingView {
        try await refresh()
        let standing = RaterStanding(gold[rater] ?? [], task: task)
        let (rated, left) = queue.progress(task, of: rater)
        var view = RatingView(task: task, state: standing.state.rawValue, rated: rated, left: left)
        view.onboarding = .init(answered: standing.answered, asked: standing.asked)
        if standing.state == .failed { return view }
        let answered = Set((gold[rater] ?? []).map(\.item))
        if standing.state == .onboarding {
            guard let question = GoldQuestion.of(task, isOnboarding: true).first(where: { !answered.contains($0.id) })
            else { throw ServerError.unexpected }
            view.item = item(question, for: rater)
            return view
        }
        // One known item for every eight others, at places that differ between raters.
        let offset = Int(SHA256Byte.of(rater)) % 8
        if standing.laterAnswered < (rated + offset) / 8,
            let question = GoldQuestion.of(task, isOnboarding: false).first(where: { !answered.contains($0.id) })
        {
            view.item = item(question, for: rater)
            return view
        }
        // What was deleted meanwhile is passed over.
        var gone = skipped[rater] ?? []
        while let name = queue.next(task, for: rater, skipping: gone) {
            if let item = try await item(name, for: rater) {
                view.item = item
                return view
            }
            gone.insert(name)
        }
        return view
    }

    /// Passes over an item.
    func skip(_ item: String, by rater: String) throws {
        guard queue.replies[item] != nil || queue.pairs[item] != nil else { return }
        if skipped[rater, default: []].count < 500 { skipped[rater, default: []].insert(item) }
    }

    private func goldItem(_ question: GoldQuestion) -> String {
        RatingQueue.name(question.task == .category ? "reply" : "pair", ["known", question.id])
    }

    private func item(_ question: GoldQuestion, for rater: String) -> RatingView.Item {
        let name = goldItem(question)
        switch question.content {
        case .reply(let context, let reply, _):
            return .init(item: name, context: context, reply: reply)
        case .pair(let asked, let good, let bad):
            let sides = RatingQueue.isSwapped(name, for: rater) ? [bad, good] : [good, bad]
            return .init(item: name, question: asked, left: sides[0], right: sides[1])
        }
    }

    /// A real item; `nil` when what it was made of is gone.
    private func item(_ name: String, for rater: String) async throws -> RatingView.Item? {
        if let reply = queue.replies[name] {
            guard let found = try await store.conversation(id: reply.conversationID) else { return nil }
            let plain = deidentifier.deidentify(found).0
            guard let place = plain.messages.firstIndex(where: { $0.id == reply.messageID }) else { return nil }
            return .init(
                item: name, context: Self.lines(plain.messages[..<place].suffix(8)), reply: plain.messages[place].text)
        }
        guard let pair = queue.pairs[name] else { return nil }
        var sides: [[RatedLine]] = []
        for side in [pair.a, pair.b] {
            guard let found = try await store.conversation(id: side.conversationID) else { return nil }
            let plain = deidentifier.deidentify(found).0
            guard let message = side.messageID else {
                sides.append(Self.lines(plain.messages.prefix(40)))
                continue
            }
            guard let reply = plain.messages.first(where: { $0.id == message }),
                let parent = plain.messages.firstIndex(where: { $0.id == reply.parentID })
            else { return nil }
            sides.append(Self.lines(plain.messages[...parent].suffix(6) + [reply]))
        }
        if RatingQueue.isSwapped(name, for: rater) { sides.reverse() }
        return .init(item: name, question: pair.question, left: sides[0], right: sides[1])
    }

    private static func lines(_ messages: some Sequence<Message>) -> [RatedLine] {
        messages.map { RatedLine(sender: $0.sender.rawValue, text: $0.text) }
    }

    // MARK: Taking answers

    /// What became of an answer.
    struct Outcome: Encodable, Sendable {
        /// Of an onboarding question: whether it was right, and what would have been.
        var isRight: Bool?
        var expected: [String]?
        var why: String?

        enum CodingKeys: String, CodingKey {
            case expected, why
            case isRight = "right"
        }
    }

    /// Takes an answer to a category item.
    func answer(_ item: String, label: RatingLabel, comment: String?, by rater: String) async throws -> Outcome {
        let standing = try await mayAnswer(.category, rater)
        if let question = known(item, .category) {
            guard case .reply(_, _, let answers) = question.content else { throw ServerError.unexpected }
            return try await answer(
                question, isRight: answers.contains(label), expected: answers.map(\.rawValue).sorted(), by: rater)
        }
        guard standing.state == .passed else { throw Self.notPassed }
        guard let reply = try await place({ $0.replies[item] }) else { throw Self.stale }
        let time = now()
        do {
            try await store.annotate(
                RatingLabel.allCases.map {
                    RaterAnnotation(
                        conversationID: reply.conversationID, messageID: reply.messageID, rater: rater,
                        label: $0.rawValue, value: $0 == label ? 1 : 0, comment: $0 == label ? comment : nil,
                        recordedAt: time)
                })
        } catch let error as StorageError where error.code == .notFound {
            throw Self.stale
        }
        know { queue, _ in queue.note(item, ratedBy: rater) }
        return Outcome()
    }

    /// Takes an answer to a pair.
    /// - Parameter isLeft: `nil` stands for neither.
    func answer(_ item: String, isLeft: Bool?, comment: String?, by rater: String) async throws -> Outcome {
        let standing = try await mayAnswer(.pair, rater)
        let isSwapped = RatingQueue.isSwapped(item, for: rater)
        if let question = known(item, .pair) {
            // The good one stands left unless the sides are swapped.
            let expected = isSwapped ? "right" : "left"
            return try await answer(question, isRight: isLeft == !isSwapped, expected: [expected], by: rater)
        }
        guard standing.state == .passed else { throw Self.notPassed }
        guard let pair = try await place({ $0.pairs[item] }) else { throw Self.stale }
        let sides = [pair.a, pair.b].map {
            PairVote.Side(conversationID: $0.conversationID, messageID: $0.messageID, model: $0.model)
        }
        let shown = isSwapped ? [sides[1], sides[0]] : sides
        do {
            try await store.record(
                PairVote(
                    pair: item, rater: rater, first: shown[0], second: shown[1], question: pair.question.rawValue,
                    choice: isLeft.map { $0 ? .first : .second } ?? .tie, comment: comment, recordedAt: now()))
        } catch let error as StorageError where error.code == .notFound {
            throw Self.stale
        }
        know { queue, _ in queue.note(item, ratedBy: rater) }
        return Outcome()
    }

    /// Lets a rater begin anew.
    func forgive(_ rater: String) async throws {
        try await store.forgetGoldAnswers(of: rater)
        know { queue, gold in
            gold[rater] = nil
            queue.reliable = Self.reliable(gold)
        }
    }

    private static let notPassed = ServerError(
        .conflict, "The introduction comes first.", code: "introduction_first")
    private static let stale = ServerError(
        .conflict, "This item is no longer there; the next one, please.", code: "stale_item")

    private func mayAnswer(_ task: RatingTask, _ rater: String) async throws -> RaterStanding {
        try await refresh()
        let standing = RaterStanding(gold[rater] ?? [], task: task)
        guard standing.state != .failed else {
            throw ServerError(
                .forbidden, "Too many answers of the introduction were wrong; ask the operator.",
                code: "introduction_failed")
        }
        return standing
    }

    /// An item of the list, which is read again where it is not: another server may have handed it out.
    private func place<Item: Sendable>(_ find: (RatingQueue) -> Item?) async throws -> Item? {
        if let found = find(queue) { return found }
        try await refresh(isForced: true)
        return find(queue)
    }

    private func known(_ item: String, _ task: RatingTask) -> GoldQuestion? {
        GoldQuestion.all.first { $0.task == task && goldItem($0) == item }
    }

    private func answer(
        _ question: GoldQuestion, isRight: Bool, expected: [String], by rater: String
    ) async throws -> Outcome {
        let answer = GoldAnswer(rater: rater, item: question.id, isRight: isRight, recordedAt: now())
        try await store.record(answer)
        know { queue, gold in
            if gold[rater]?.contains(where: { $0.item == question.id }) != true {
                gold[rater, default: []].append(answer)
            }
            queue.reliable = Self.reliable(gold)
        }
        return question.isOnboarding ? Outcome(isRight: isRight, expected: expected, why: question.why) : Outcome()
    }

    // MARK: Looking over

    /// Progress, agreement and raters, for operators.
    func figures() async throws -> RatingFigures {
        try await refresh(isForced: true)
        return try await RatingFigures(store: store, queue: queue, gold: gold)
    }
}
