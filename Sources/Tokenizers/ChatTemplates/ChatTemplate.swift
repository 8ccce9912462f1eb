import Foundation

/// How a model wants a conversation written: the Jinja template of its Hugging Face folder, read once, rendered often.
///
/// The rendered text is what transformers' `apply_chat_template` gives. The template is foreign code and is kept on a
/// leash: it sees only what it is given, and its size, depth, work and output are capped. The Jinja that published chat
/// templates use is supported; anything else is refused by name and line, never rendered differently.
public struct ChatTemplate: Sendable {
    /// Names the template in errors.
    public let name: String
    /// The caps that a render is held to.
    public let limits: ChatTemplateLimits
    /// The tokenizer's tokens that the template may write, such as `bos_token`; given to every render.
    public var specialTokens: TemplateObject
    /// Roles that the program knows. A message's role counts as the template's own text when it is one of these, because
    /// some templates build tokens out of it (`<|` + role + `|>`); any other role is content.
    public var knownRoles = ChatTemplate.commonRoles
    private let program: TemplateProgram

    /// The roles of published templates.
    public static let commonRoles: Set<String> = [
        "system", "developer", "user", "assistant", "tool", "function", "ipython", "environment", "observation",
        "model",
    ]

    /// - Parameters:
    ///   - source: the text of the template.
    ///   - name: names it in errors.
    ///   - specialTokens: values that the template reads by these names, such as `bos_token`.
    /// - Throws: `ChatTemplateError` with the line of what is not valid or not supported.
    public init(
        source: String, name: String = "chat template", specialTokens: TemplateObject = [:],
        limits: ChatTemplateLimits = .init()
    ) throws {
        program = try TemplateCompiler.program(of: source, name: name, limits: limits)
        self.name = name
        self.limits = limits
        self.specialTokens = specialTokens
    }

    /// A conversation as text.
    /// - Parameters:
    ///   - messages: objects with a `role` and what belongs to it, in their order. As in transformers, a key whose value is
    ///     `null` counts as not given, and reasoning is found under `reasoning_content` whatever name it came by.
    ///   - tools: JSON schemas of the functions that the model may call.
    ///   - documents: what the model may cite.
    ///   - addGenerationPrompt: ends with what begins a reply.
    ///   - variables: further names that the template reads, such as `enable_thinking`.
    ///   - clock: what `strftime_now` tells; a template that asks for the time without a clock is an error.
    /// - Throws: `ChatTemplateError`; its code is `raised` when the template itself refuses the messages.
    public func render(
        messages: [TemplateValue], tools: [TemplateValue]? = nil, documents: [TemplateValue]? = nil,
        addGenerationPrompt: Bool = false, variables: TemplateObject = [:], clock: TemplateClock? = nil
    ) throws -> RenderedPrompt {
        var given = specialTokens
        for entry in variables.entries { given[entry.key] = entry.value }
        given["messages"] = .array(try messages.enumerated().map { try prepared($1, index: $0) })
        given["tools"] = tools.map { .array($0) } ?? .null
        given["documents"] = documents.map { .array($0) } ?? .null
        given["add_generation_prompt"] = .bool(addGenerationPrompt)
        return try render(variables: given, clock: clock)
    }

    /// Renders with these names and nothing else.
    public func render(variables: TemplateObject, clock: TemplateClock? = nil) throws -> RenderedPrompt {
        var values: [String: RuntimeValue] = [:]
        for entry in variables.entries { values[entry.key] = try runtime(entry.value, depth: 0) }
        let renderer = TemplateRenderer(variables: values, clock: clock, limits: limits, slots: program.layout.count)
        defer { renderer.finish() }
        do {
            _ = try program.body(renderer)
        } catch let fault as TemplateFault {
            throw ChatTemplateError(fault.code, template: name, line: renderer.line, fault.message)
        }
        return RenderedPrompt(renderer.output, generations: renderer.generations)
    }

    private static let reasoningNames = ["reasoning_content", "thinking", "reasoning"]

    /// A message as transformers hands it to templates.
    private func prepared(_ message: TemplateValue, index: Int) throws -> TemplateValue {
        guard case .object(let object) = message else {
            throw ChatTemplateError(.malformed, template: name, "messages[\(index)] is not an object")
        }
        var result = TemplateObject(object.entries.filter { $0.value != .null }.map { ($0.key, $0.value) })
        if case .string(let role)? = result["role"], knownRoles.contains(role) { result["role"] = .trusted(role) }
        if let reasoning = Self.reasoningNames.lazy.compactMap({ result[$0] }).first {
            if result["thinking"] == nil {
                result = TemplateObject([("thinking", reasoning)] + result.entries.map { ($0.key, $0.value) })
            }
            result["reasoning_content"] = reasoning
        }
        return .object(result)
    }

    private func runtime(_ value: TemplateValue, depth: Int) throws -> RuntimeValue {
        guard depth < 64 else {
            throw ChatTemplateError(.limit, template: name, "a given value is nested deeper than 64")
        }
        switch value {
        case .null: return .none
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .double(let value): return .double(value)
        case .string(let text): return .string(TracedText(text, origin: .content))
        case .trusted(let text): return .string(TracedText(text, origin: .template))
        case .array(let items): return .list(try items.map { try runtime($0, depth: depth + 1) })
        case .object(let object):
            var dictionary = RuntimeDictionary()
            for entry in object.entries {
                let key = RuntimeValue.string(TracedText(entry.key, origin: .content))
                try dictionary.set(key, try runtime(entry.value, depth: depth + 1))
            }
            return .dictionary(dictionary)
        }
    }
}
