import Conversations

extension ChatFormat: PromptFormat {
    public var vocabulary: any Tokenizer { tokenizer }
    public var endIDs: Set<Int> { [end] }
    public var replyEnd: Int? { end }
    public var markerIDs: Set<Int> { [person, bot] }

    public func prompt(for turns: [Turn], room: Int) throws -> [Int] {
        // The last token asks for the reply.
        let room = max(room, 1) - 1
        let spelled = turns.map { encode(turn: $0.sender == .bot, text: $0.text) }
        var kept = spelled[TurnWindow.start(of: turns, costs: spelled.map(\.count), room: room)...]
        if kept.count == 1, let ids = kept.first, ids.count > room {
            // Its first token says who speaks.
            kept = [room > 2 ? [ids[0]] + ids.suffix(room - 1) : Array(ids.suffix(max(room, 0)))]
        }
        return kept.flatMap { $0 } + [bot]
    }

    public func exchange(context: [Turn], reply: String, room: Int) -> Exchange? {
        let reply = tokenizer.encode(reply) + [end]
        var left = room - reply.count - 1
        guard left >= 0 else { return nil }
        var kept: [[Int]] = []
        var isTruncated = false
        for turn in context.reversed() {
            let ids = encode(turn: turn.sender == .bot, text: turn.text)
            if ids.count <= left {
                kept.append(ids)
                left -= ids.count
                continue
            }
            isTruncated = true
            if kept.isEmpty, left > 2 { kept.append([ids[0]] + ids.suffix(left - 1)) }
            break
        }
        return Exchange(prompt: kept.reversed().flatMap { $0 } + [bot], reply: reply, isTruncated: isTruncated)
    }
}
