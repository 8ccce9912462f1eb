import Conversations
import Foundation

/// Reads JSON lines as TRL and OpenAI's fine-tuning write them; each line says by its fields which shape it has.
///
/// | shape | line |
/// | --- | --- |
/// | language modelling | `{"text"}` or `{"messages"}` |
/// | prompt and completion | `{"prompt", "completion"}` |
/// | unpaired preference | `{"prompt", "completion", "label"}` |
/// | preference | `{"prompt", "chosen", "rejected"}`, or without the prompt, which is then what both begin with |
/// | stepwise | `{"prompt", "completions", "labels"}` |
/// | OpenAI supervised | `{"messages"}` with `weight` 0 or 1 on the assistant's |
/// | OpenAI preference | `{"input": {"messages"}, "preferred_output", "non_preferred_output"}`, or `…_completion` |
///
/// Prompts and replies are strings, joined as they are, or lists of messages. `weight` (a number from 0 up) and `margin` may
/// stand on any line. A system message becomes the beginning of the first turn, since Loam's format has two speakers. The
/// first line that cannot be used ends the reading with file, line and field: unlike a log, such a file was made to train on.
public struct TrainingFile: Sendable {
    private let url: URL

    public init(_ url: URL) { self.url = url }

    /// - Throws: `LogError`.
    public func read() throws -> TrainingData {
        var data = TrainingData()
        var reader = try LineReader(url)
        while let line = try reader.next() {
            let place = (file: url.relativePath, line: line.number)
            switch line.content {
            case .tooLong(let length):
                throw LogError(.tooLong, file: place.file, line: place.line, reason: "\(length) bytes")
            case .invalidUTF8(let offset):
                throw LogError(
                    .invalidUTF8, file: place.file, line: place.line, reason: "byte \(offset + 1) of the file")
            case .bytes(let bytes):
                if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
                let value: JSONValue
                do {
                    value = try JSONValue(parsing: bytes)
                } catch {
                    throw LogError(.invalidJSON, file: place.file, line: place.line, reason: "\(error)")
                }
                data += try TrainingLine(value, file: place.file, line: place.line).data()
            }
        }
        guard !(data.examples.isEmpty && data.pairs.isEmpty && data.texts.isEmpty) else {
            throw LogError(.emptyFile, file: url.relativePath, reason: "holds nothing to learn from")
        }
        return data
    }
}

/// One line of a training file.
struct TrainingLine {
    private let fields: [String: JSONValue]
    private let file: String
    private let line: Int

    init(_ value: JSONValue, file: String, line: Int) throws {
        guard case .object(let fields) = value else {
            throw LogError(.invalidField, file: file, line: line, reason: "expected an object")
        }
        // A null stands for an absent field.
        self.fields = fields.filter { $0.value != .null }
        self.file = file
        self.line = line
    }

    private func fault(_ code: LogError.Code, _ field: String?, _ reason: String) -> LogError {
        LogError(code, file: file, line: line, field: field, reason: reason)
    }

    func data() throws -> TrainingData {
        var data = TrainingData()
        if let input = fields["input"] {
            data.pairs = [try openAI(input)]
        } else if fields["chosen"] != nil || fields["rejected"] != nil {
            data.pairs = [try preference()]
        } else if fields["completions"] != nil {
            data.examples = try steps()
        } else if fields["completion"] != nil {
            data.examples = [sourced(try single())]
        } else if let messages = fields["messages"] {
            data.examples = try conversation(messages)
        } else if let text = fields["text"] {
            data.texts = [sourced(try string(text, "text"))]
        } else if fields["prompt"] != nil {
            throw fault(.missingField, "completion", "a prompt alone teaches nothing")
        } else {
            throw fault(
                .missingField, nil,
                "none of text, messages, prompt with completion, chosen with rejected, or input is here")
        }
        return data
    }

    private func sourced<Item>(_ item: Item) -> Sourced<Item> { Sourced(item, file: file, line: line) }

    // MARK: - Shapes

    private func single() throws -> Example {
        let prompt = try self.prompt(fields["prompt"], "prompt")
        let reply = try self.reply(fields["completion"], "completion", isPlain: prompt.plain != nil)
        var label = Example.Label.unlabelled
        if let value = fields["label"] { label = try self.label(value, "label") ? .good : .bad }
        return Example(
            context: prompt.turns, reply: reply, label: label, weight: try weight(), plainPrompt: prompt.plain)
    }

    private func steps() throws -> [Sourced<Example>] {
        let prompt = try string(fields["prompt"], "prompt")
        let steps = try list(fields["completions"], "completions")
        let labels = try list(fields["labels"], "labels")
        guard steps.count == labels.count else {
            throw fault(.invalidField, "labels", "\(labels.count) labels for \(steps.count) completions")
        }
        var before = prompt
        return try zip(steps, labels).enumerated().map { index, pair in
            let text = try nonempty(string(pair.0, "completions[\(index)]"), "completions[\(index)]")
            let good = try label(pair.1, "labels[\(index)]")
            defer { before += "\n" + text }
            return sourced(
                Example(
                    context: [], reply: "\n" + text, label: good ? .good : .bad, weight: try weight(),
                    plainPrompt: before))
        }
    }

    private func conversation(_ value: JSONValue) throws -> [Sourced<Example>] {
        let messages = try self.messages(value, "messages")
        var examples: [Sourced<Example>] = []
        for (index, message) in messages.enumerated() where message.turn.sender == .bot && message.weight > 0 {
            let text = try nonempty(message.turn.text, "messages[\(message.place)].content")
            let context = messages[..<index].map(\.turn)
            examples.append(
                sourced(
                    Example(context: context, reply: text, label: .unlabelled, weight: try weight() * message.weight)))
        }
        guard !examples.isEmpty else {
            throw fault(.noMessages, "messages", "no message of the assistant with a weight above 0")
        }
        return examples
    }

    private func preference() throws -> Sourced<PreferencePair> {
        guard let chosen = fields["chosen"], let rejected = fields["rejected"] else {
            let missing = fields["chosen"] == nil ? "chosen" : "rejected"
            throw fault(.missingField, missing, "a preference has chosen and rejected")
        }
        guard fields["prompt"] == nil else {
            let prompt = try self.prompt(fields["prompt"], "prompt")
            let isPlain = prompt.plain != nil
            return try pair(
                prompt.turns, prompt.plain, reply(chosen, "chosen", isPlain: isPlain),
                reply(rejected, "rejected", isPlain: isPlain))
        }
        if case .string(let better) = chosen, case .string(let worse) = rejected {
            // As TRL does: a space before the first difference belongs to the replies.
            var shared = Array(better.unicodeScalars).commonPrefix(with: Array(worse.unicodeScalars))
            if shared.last == " " { shared.removeLast() }
            func rest(_ text: String) -> String { string(Array(text.unicodeScalars).dropFirst(shared.count)) }
            return try pair(
                [], string(shared[...]), nonempty(rest(better), "chosen"), nonempty(rest(worse), "rejected"))
        }
        let better = try messages(chosen, "chosen").map(\.turn)
        let worse = try messages(rejected, "rejected").map(\.turn)
        let shared = better.commonPrefix(with: worse)
        return try pair(
            shared, nil, last(better, after: shared.count, "chosen"), last(worse, after: shared.count, "rejected"))
    }

    private func openAI(_ input: JSONValue) throws -> Sourced<PreferencePair> {
        guard case .object(let object) = input, let messages = object["messages"] else {
            throw fault(.missingField, "input.messages", "expected a list of messages")
        }
        let context = try self.messages(messages, "input.messages").map(\.turn)
        func output(_ stem: String) throws -> String {
            for name in [stem + "_output", stem + "_completion"] {
                if let value = fields[name] { return try reply(value, name, isPlain: false) }
            }
            throw fault(.missingField, stem + "_output", "expected a list with one message of the assistant")
        }
        return try pair(context, nil, output("preferred"), output("non_preferred"))
    }

    private func pair(
        _ context: [Turn], _ plain: String?, _ chosen: String, _ rejected: String
    ) throws -> Sourced<PreferencePair> {
        guard chosen != rejected else { throw fault(.invalidField, "rejected", "is the same as chosen") }
        return sourced(
            PreferencePair(
                context: context, plainPrompt: plain, chosen: chosen, rejected: rejected, weight: try weight(),
                margin: try fields["margin"].map { try number($0, "margin") }))
    }

    // MARK: - Parts

    private func prompt(_ value: JSONValue?, _ field: String) throws -> (turns: [Turn], plain: String?) {
        switch value {
        case .string(let text): ([], text)
        case .array: (try messages(value, field).map(\.turn), nil)
        case nil: throw fault(.missingField, field, "expected a string or a list of messages")
        default: throw fault(.invalidField, field, "expected a string or a list of messages")
        }
    }

    /// A reply as a string or as a list with one message of the assistant.
    private func reply(_ value: JSONValue?, _ field: String, isPlain: Bool) throws -> String {
        switch value {
        case .string(let text):
            guard isPlain else {
                throw fault(.invalidField, field, "is a string, but the prompt is a list of messages")
            }
            return try nonempty(text, field)
        case .array:
            guard !isPlain else {
                throw fault(.invalidField, field, "is a list of messages, but the prompt is a string")
            }
            return try last(messages(value, field).map(\.turn), after: 0, field)
        case nil: throw fault(.missingField, field, "expected a string or a list of messages")
        default: throw fault(.invalidField, field, "expected a string or a list of messages")
        }
    }

    /// The one reply behind a context.
    private func last(_ turns: [Turn], after count: Int, _ field: String) throws -> String {
        guard turns.count == count + 1, turns[count].sender == .bot else {
            throw fault(.invalidField, field, "expected exactly one message of the assistant behind the prompt")
        }
        return try nonempty(turns[count].text, field)
    }

    private func messages(
        _ value: JSONValue?, _ field: String
    ) throws -> [(turn: Turn, weight: Double, place: Int)] {
        var system: [String] = []
        var result: [(turn: Turn, weight: Double, place: Int)] = []
        for (index, item) in try list(value, field).enumerated() {
            let at = "\(field)[\(index)]"
            guard case .object(let message) = item else { throw fault(.invalidField, at, "expected an object") }
            let role = try string(message["role"], at + ".role")
            let text = try content(message["content"], at)
            switch role {
            case "system", "developer":
                guard result.isEmpty else {
                    throw fault(.invalidField, at + ".role", "a \(role) message stands behind others")
                }
                system.append(text)
            case "user", "human": result.append((Turn(.human, text), 0, index))
            case "assistant", "bot":
                var weight = 1.0
                if let given = message["weight"], given != .null {
                    weight = try label(given, at + ".weight") ? 1 : 0
                }
                result.append((Turn(.bot, text), weight, index))
            default:
                throw fault(.unknownSender, at + ".role", "“\(role)” is not supported; system, user and assistant are")
            }
        }
        guard !system.isEmpty else { return result }
        let head = system.joined(separator: "\n\n")
        if let first = result.first, first.turn.sender == .human {
            result[0].turn.text = head + "\n\n" + first.turn.text
        } else {
            result.insert((Turn(.human, head), 0, 0), at: 0)
        }
        return result
    }

    /// A string, or a list of typed parts of which text is read.
    private func content(_ value: JSONValue?, _ at: String) throws -> String {
        switch value {
        case .string(let text): return text
        case .array(let parts):
            return try parts.map { part in
                guard case .object(let fields) = part, fields["type"] == .string("text") else {
                    throw fault(.invalidField, at + ".content", "a part is not of the type text")
                }
                return try string(fields["text"], at + ".content")
            }.joined()
        case nil, .null: throw fault(.missingField, at + ".content", "expected a string")
        default: throw fault(.invalidField, at + ".content", "expected a string")
        }
    }

    private func list(_ value: JSONValue?, _ field: String) throws -> [JSONValue] {
        guard case .array(let items)? = value else {
            throw fault(value == nil ? .missingField : .invalidField, field, "expected a list")
        }
        guard !items.isEmpty else { throw fault(.invalidField, field, "is empty") }
        return items
    }

    private func string(_ value: JSONValue?, _ field: String) throws -> String {
        guard case .string(let text)? = value else {
            throw fault(value == nil ? .missingField : .invalidField, field, "expected a string")
        }
        return text
    }

    private func nonempty(_ text: String, _ field: String) throws -> String {
        guard !text.allSatisfy(\.isWhitespace) else { throw fault(.invalidField, field, "the reply is empty") }
        return text
    }

    private func label(_ value: JSONValue, _ field: String) throws -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .number(1): return true
        case .number(0): return false
        case .number(let number): throw fault(.invalidField, field, "is \(number), expected true, false, 1 or 0")
        default: throw fault(.invalidField, field, "expected true, false, 1 or 0")
        }
    }

    private func number(_ value: JSONValue, _ field: String) throws -> Double {
        guard case .number(let number) = value else { throw fault(.invalidField, field, "expected a number") }
        return number
    }

    private func weight() throws -> Double {
        guard let value = fields["weight"] else { return 1 }
        let number = try number(value, "weight")
        guard number >= 0, number.isFinite else {
            throw fault(.invalidField, "weight", "is \(number), expected a finite number from 0 up")
        }
        return number
    }

    private func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text
    }
}

extension Array where Element: Equatable {
    fileprivate func commonPrefix(with other: [Element]) -> [Element] {
        Array(zip(self, other).prefix { $0 == $1 }.map(\.0))
    }
}
