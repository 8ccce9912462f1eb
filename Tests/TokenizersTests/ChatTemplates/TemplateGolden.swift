import Foundation
import Testing
import Tokenizers

/// What transformers made of templates and conversations; written by `Scripts/fixtures/chat_templates.py`.
struct TemplateGolden {
    struct Row {
        var template: String
        var conversation: String
        /// What Python gave: the text, or why there is none.
        var outcome: Outcome
    }

    enum Outcome: Equatable {
        case text(String)
        case raised(String)
        case failed
    }

    static let folder = fixtures.appendingPathComponent("chat_templates")
    /// The moment that the script's clock stands at: 9 February 2024, 07:05:03.
    static let clock = TemplateClock(now: Date(timeIntervalSince1970: 1_707_462_303))

    let special: TemplateObject
    let conversations: TemplateObject
    let rows: [Row]

    init(_ url: URL) throws {
        let value = try TemplateValue(json: Data(contentsOf: url), name: url.lastPathComponent)
        guard case .object(let special)? = value["special"], case .object(let conversations)? = value["conversations"],
            case .array(let rows)? = value["rows"]
        else { throw ChatTemplateError(.malformed, template: url.path, "no golden file") }
        self.special = TemplateObject(special.entries.map { ($0.key, .trusted($0.value.string ?? "")) })
        self.conversations = conversations
        self.rows = rows.map {
            Row(
                template: $0["template"]?.string ?? "", conversation: $0["case"]?.string ?? "", outcome: Outcome($0))
        }
    }

    /// Renders one row with this renderer.
    func outcome(of template: ChatTemplate, _ conversation: TemplateValue) -> (Outcome, String) {
        do {
            let prompt = try Self.render(template, conversation)
            return (.text(prompt.text), "")
        } catch let error as ChatTemplateError where error.code == .raised {
            return (.raised(error.message), error.description)
        } catch {
            return (.failed, "\(error)")
        }
    }

    static func render(_ template: ChatTemplate, _ conversation: TemplateValue) throws -> RenderedPrompt {
        guard case .object(var variables) = conversation else {
            throw ChatTemplateError(.malformed, template: "", "no object")
        }
        let known = ["messages", "tools", "documents", "add_generation_prompt"].map { name in
            defer { variables[name] = nil }
            return variables[name]
        }
        return try template.render(
            messages: known[0]?.array ?? [], tools: known[1]?.array, documents: known[2]?.array,
            addGenerationPrompt: known[3] == .bool(true), variables: variables, clock: clock)
    }
}

extension TemplateGolden.Outcome {
    init(_ row: TemplateValue) {
        if let text = row["text"]?.string {
            self = .text(text)
        } else if let message = row["raised"]?.string {
            self = .raised(message)
        } else {
            self = .failed
        }
    }
}

extension TemplateValue {
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var array: [TemplateValue]? { if case .array(let items) = self { items } else { nil } }

    /// The same value with every text inside replaced, keys too where asked.
    func mapped(keys: Bool = false, _ body: (String) -> String) -> TemplateValue {
        switch self {
        case .string(let text): .string(body(text))
        case .array(let items): .array(items.map { $0.mapped(keys: keys, body) })
        case .object(let object):
            .object(
                TemplateObject(object.entries.map { (keys ? body($0.key) : $0.key, $0.value.mapped(keys: keys, body)) })
            )
        default: self
        }
    }
}

/// The text with every scalar outside white space moved where no template writes: what comes from it can be told apart.
func moved(_ text: String) -> String {
    var view = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        view.append(scalar.properties.isWhitespace ? scalar : Unicode.Scalar(0xF0000 + scalar.value % 0xFFF0)!)
    }
    return String(view)
}

func isMoved(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 0xF0000 }
