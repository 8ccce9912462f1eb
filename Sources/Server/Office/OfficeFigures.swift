import Conversations
import Foundation
import Storage

/// What happened over time: replies, thumbs and their reasons, safety events, models; by day, in UTC.
struct OfficeFigures: Encodable, Sendable, Equatable {
    struct Day: Encodable, Sendable, Equatable {
        /// `2026-11-26`
        var date: String
        var conversations = 0
        var replies = 0
        var likes = 0
        var dislikes = 0
        /// Messages that some layer held to be unsafe, by layer.
        var unsafe: [String: Int] = [:]
    }

    struct SafetyKind: Encodable, Sendable, Equatable {
        var layer: String
        /// Empty where the layer says none.
        var category: String
        /// Whose words: `human` or `bot`.
        var sender: String
        var count: Int
    }

    struct Model: Encodable, Sendable, Equatable {
        var model: String
        var replies = 0
        var likes = 0
        var dislikes = 0
        /// Replies that a safety layer spoke in the model's place.
        var canned = 0
    }

    private(set) var conversations = 0
    private(set) var people = 0
    private(set) var replies = 0
    private(set) var likes = 0
    private(set) var dislikes = 0
    private(set) var corrections = 0
    /// Thumbs down by reason; one may have several.
    private(set) var reasons: [String: Int] = [:]
    /// In order of days.
    private(set) var days: [Day] = []
    /// Most frequent first.
    private(set) var safety: [SafetyKind] = []
    /// In order of replies, most first.
    private(set) var models: [Model] = []
    /// Thumbs without any date, which are in the sums and in no day.
    private(set) var undated = 0

    enum CodingKeys: String, CodingKey {
        case conversations, people, replies, likes, dislikes, corrections, reasons, days, safety, models, undated
    }

    /// Takes conversations one after the other and makes the figures.
    struct Counter {
        /// What happened before is left out; `nil` counts all.
        let since: Date?
        private var figures = OfficeFigures()
        private var people: Set<String> = []
        private var days: [String: Day] = [:]
        private var safety: [[String]: Int] = [:]
        private var models: [String: Model] = [:]

        init(since: Date?) { self.since = since }

        mutating func add(_ conversation: Conversation) {
            let start = conversation.startedAt ?? conversation.messages.lazy.compactMap(\.sentAt).first
            var isSeen = false
            if isRecent(start) {
                isSeen = true
                onDay(start) { $0.conversations += 1 }
            }
            for message in conversation.messages {
                let time = message.sentAt ?? conversation.startedAt
                if isRecent(time) {
                    isSeen = true
                    add(message, at: time)
                }
                for feedback in message.feedback {
                    let given = feedback.givenAt ?? time
                    if isRecent(given) {
                        isSeen = true
                        add(feedback, on: message, at: given)
                    }
                }
            }
            guard isSeen else { return }
            figures.conversations += 1
            people.insert(conversation.userID)
        }

        private mutating func add(_ message: Message, at time: Date?) {
            if message.sender == .bot {
                figures.replies += 1
                onDay(time) { $0.replies += 1 }
                let name = message.generation?.model ?? "unknown"
                models[name, default: Model(model: name)].replies += 1
                if message.isSafetyControlled { models[name]?.canned += 1 }
            }
            for decision in message.safety where decision.isUnsafe {
                safety[[decision.layer, decision.category ?? "", message.sender.rawValue], default: 0] += 1
                onDay(time) { $0.unsafe[decision.layer, default: 0] += 1 }
            }
        }

        private mutating func add(_ feedback: Feedback, on message: Message, at time: Date?) {
            let name = message.generation?.model ?? "unknown"
            switch feedback.rating {
            case .like:
                figures.likes += 1
                models[name, default: Model(model: name)].likes += 1
                onDay(time) { $0.likes += 1 }
            case .dislike:
                figures.dislikes += 1
                models[name, default: Model(model: name)].dislikes += 1
                onDay(time) { $0.dislikes += 1 }
                // A log's own reasons are an open set and could be anything.
                for reason in Set(feedback.reasons) {
                    let isKnown = DislikeReason.offered.contains(reason)
                    figures.reasons[isKnown ? reason.rawValue : "other", default: 0] += 1
                }
            case nil: break
            }
            if feedback.rating != nil, time == nil { figures.undated += 1 }
            if feedback.correction != nil { figures.corrections += 1 }
        }

        /// What has no date is in when everything is.
        private func isRecent(_ date: Date?) -> Bool {
            guard let since else { return true }
            return date.map { $0 >= since } ?? false
        }

        private mutating func onDay(_ date: Date?, _ change: (inout Day) -> Void) {
            guard let date else { return }
            let name = OfficeFigures.day(of: date)
            change(&days[name, default: Day(date: name)])
        }

        func result() -> OfficeFigures {
            var result = figures
            result.people = people.count
            result.days = days.values.sorted { $0.date < $1.date }
            result.safety = safety.map {
                SafetyKind(layer: $0.key[0], category: $0.key[1], sender: $0.key[2], count: $0.value)
            }.sorted { ($1.count, $0.layer, $0.category, $0.sender) < ($0.count, $1.layer, $1.category, $1.sender) }
            result.models = models.values.sorted { ($1.replies, $0.model) < ($0.replies, $1.model) }
            return result
        }
    }

    static func day(of date: Date) -> String {
        date.formatted(.iso8601.year().month().day())
    }
}

/// Makes figures, and keeps them for a minute: a page that is loaded again costs nothing, and two at once cost one pass.
actor FiguresDesk {
    private let store: any OfficeStore
    private let now: @Sendable () -> Date
    private let keptFor: TimeInterval
    private var made: [Int: (at: Date, task: Task<OfficeFigures, any Error>)] = [:]

    init(store: any OfficeStore, keptFor: TimeInterval = 60, now: @escaping @Sendable () -> Date) {
        self.store = store
        self.keptFor = keptFor
        self.now = now
    }

    /// - Parameter days: so many days back; 0 is everything.
    func figures(days: Int) async throws -> OfficeFigures {
        let time = now()
        if let held = made[days], time.timeIntervalSince(held.at) < keptFor { return try await held.task.value }
        let store = store
        let since = days > 0 ? time - Double(days) * 86_400 : nil
        let task = Task {
            var counter = OfficeFigures.Counter(since: since)
            for try await conversation in store.conversations(consent: .improve, since: since, pageSize: 200) {
                counter.add(conversation)
            }
            return counter.result()
        }
        made[days] = (time, task)
        do {
            return try await task.value
        } catch {
            made[days] = nil
            throw error
        }
    }
}
