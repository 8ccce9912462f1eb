import Foundation

/// Topics on which the bot gives no advice and takes no side. Someone who speaks of hurting themselves is not among them:
/// they get help (`SafetyPipeline.selfHarm`).
public enum SensitiveTopic: String, Sendable, Hashable, Codable, CaseIterable {
    case medical, politics, religion, drugs, nsfw

    /// What the bot says instead, and where to turn to.
    public var reply: String {
        switch self {
        case .medical:
            "I'm only a program and no doctor, so I'd better not advise on that. A doctor, a pharmacist or, if it is urgent, "
                + "your local emergency number can help. Shall we talk about something else meanwhile?"
        case .politics:
            "I'd rather not take sides in politics; there are better places than me to weigh it. What else is on your mind?"
        case .religion:
            "Faith is for each person to settle, and I have no view to press on you. What else would you like to talk about?"
        case .drugs:
            "I can't help with that. If you are worried about drugs, yours or somebody's, a doctor or a helpline can. Shall we "
                + "talk about something else?"
        case .nsfw: "I'd like to keep this chat friendly and clean. Shall we talk about something else?"
        }
    }
}

/// Tells sensitive topics by turns of phrase that ask for advice or an opinion.
public struct TopicMatcher: Sendable {
    private let matchers: [(topic: SensitiveTopic, matcher: StringMatcher)]

    /// - Parameter text: a list in the format of `topics.txt`.
    /// - Throws: `SafetyError` naming a line with an unknown topic, or entries before the first.
    public init(list text: String, file: String = "topics") throws {
        var lists: [SensitiveTopic: [String]] = [:]
        var topic: SensitiveTopic?
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
            guard !content.isEmpty else { continue }
            if content.hasPrefix("topic:") {
                let name = content.dropFirst("topic:".count).trimmingCharacters(in: .whitespaces)
                guard let known = SensitiveTopic(rawValue: name) else {
                    throw SafetyError(.file, "\(file):\(number + 1): unknown topic \(name)")
                }
                topic = known
            } else if let topic {
                lists[topic, default: []].append(content)
            } else {
                throw SafetyError(.file, "\(file):\(number + 1): an entry before the first topic")
            }
        }
        matchers = SensitiveTopic.allCases.compactMap { topic in
            lists[topic].map { (topic, StringMatcher(list: $0.joined(separator: "\n"))) }
        }
    }

    /// The list that comes with Loam.
    public static func standard() throws -> TopicMatcher {
        let url = try SafetyResource.topics.url()
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw SafetyError(.file, "\(url.path): cannot be read as UTF-8 text")
        }
        return try TopicMatcher(list: text, file: url.lastPathComponent)
    }

    /// The topic of a text, if it is a sensitive one.
    public func topic(of text: String) -> SensitiveTopic? {
        matchers.first { $0.matcher(text) }?.topic
    }
}
