import Conversations
import Foundation

/// Who took part in a live trial and what happened to them, read from the conversations since it began.
public struct TrialPeople: Sendable, Hashable {
    /// Which part of a person's time decides the guard-rails: long enough for something to go wrong, short enough to know
    /// soon.
    public struct Window: Sendable, Hashable, Codable {
        /// The first replies …
        public var replies: Int
        /// … within this many seconds of the first.
        public var seconds: Double

        public init(replies: Int = 5, seconds: Double = 3_600) {
            self.replies = replies
            self.seconds = seconds
        }
    }

    /// In the order in which they got their first reply in the trial.
    public let people: [LiveComparison.Person]

    /// - Parameters:
    ///   - conversations: Those that were changed since the trial began; order does not matter.
    ///   - assignment: Who talks to which model; it decides, since a canned reply names none. A reply that names the
    ///     model of another arm does not count.
    ///   - start: When the trial began: earlier replies do not count.
    ///   - now: A person whose window is still open is not settled: they may yet say what they think of an early reply.
    ///     What comes later does not count: of a trial that is over it is the end, since people of the base go on with it.
    public init(
        _ conversations: [Conversation], assignment: ArmAssignment, start: Date, now: Date, window: Window = Window()
    ) {
        var people: [(first: Date, person: LiveComparison.Person)] = []
        for (userID, mine) in Dictionary(grouping: conversations, by: \.userID) {
            let model = assignment.model(for: userID)
            // Until the server is started anew, and once the trial is over, everybody gets the model that serves: what
            // it says to people of the other arm tells nothing of theirs.
            func isOfOtherArm(_ message: Message) -> Bool {
                guard let author = message.generation?.model, author != model else { return false }
                return assignment.arms.contains { $0.model == author }
            }
            let replies = mine.flatMap(\.messages)
                .compactMap { message in
                    message.sender == .bot && !isOfOtherArm(message)
                        ? message.sentAt.map { (at: $0, message: message) } : nil
                }
                .filter { $0.at >= start && $0.at <= now }
                .sorted { ($0.at, $0.message.id) < ($1.at, $1.message.id) }
            guard let first = replies.first else { continue }
            func rating(_ message: Message) -> Rating? {
                message.feedback.first { $0.userID == userID && ($0.givenAt.map { $0 <= now } ?? true) }?.rating
            }
            let end = first.at.addingTimeInterval(window.seconds)
            let watched = replies.prefix(window.replies).filter { $0.at <= end }
            // What is said once the window is closed counts in the rates alone: a settled person stays what they are.
            func inTime(_ message: Message) -> [Feedback] {
                message.feedback.filter { $0.userID == userID && ($0.givenAt.map { $0 <= min(end, now) } ?? true) }
            }
            let isUnsafe = watched.contains { reply in
                reply.message.interactionFailure == "unsafe_BlenderBot3"
                    || inTime(reply.message).contains { $0.reasons.contains(.inappropriate) }
            }
            people.append(
                (
                    first.at,
                    LiveComparison.Person(
                        id: userID, model: model, replies: replies.count,
                        likes: replies.count { rating($0.message) == .like },
                        dislikes: replies.count { rating($0.message) == .dislike }, hadUnsafeReply: isUnsafe,
                        complained: watched.contains { inTime($0.message).contains { $0.rating == .dislike } },
                        isSettled: now > end)
                ))
        }
        self.people = people.sorted { ($0.first, $0.person.id) < ($1.first, $1.person.id) }.map(\.person)
    }
}
