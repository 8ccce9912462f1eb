import Foundation
import Testing
import Tokenizers

@Suite struct ChatTemplateFolderTests {
    private func write(_ text: String, _ name: String, _ folder: URL) throws {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private let hello: [TemplateValue] = [.message(role: "user", content: "Hi")]

    @Test func `a template is read from tokenizer_config.json with its tokens`() throws {
        try withFolder { folder in
            try write(
                #"{"chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "bos_token": "<s>","#
                    + #" "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null, "model_max_length": 1e30}"#,
                "tokenizer_config.json", folder)
            let prompt = try ChatTemplate(folder: folder).render(messages: hello)
            #expect(prompt.text == "<s>Hi</s>")
            #expect(prompt.parts.map(\.isTemplate) == [true, false, true])
        }
    }

    @Test func `chat_template.jinja comes first, and a list is asked by name`() throws {
        try withFolder { folder in
            try write(
                #"{"chat_template": [{"name": "default", "template": "one"}, {"name": "tool_use", "template": "two"}]}"#,
                "tokenizer_config.json", folder)
            #expect(try ChatTemplate(folder: folder).render(messages: hello).text == "one")
            #expect(try ChatTemplate(folder: folder, variant: "tool_use").render(messages: hello).text == "two")
            let error = #expect(throws: ChatTemplateError.self) { try ChatTemplate(folder: folder, variant: "rag") }
            #expect(error?.code == .file)
            #expect(error?.message == "chat_template has no 'rag', only default, tool_use")
            try write("three\n", "chat_template.jinja", folder)
            try write("four", "additional_chat_templates/rag.jinja", folder)
            #expect(try ChatTemplate(folder: folder).render(messages: hello).text == "three")
            #expect(try ChatTemplate(folder: folder, variant: "rag").render(messages: hello).text == "four")
            #expect(throws: ChatTemplateError.self) { try ChatTemplate(folder: folder, variant: "../chat_template") }
        }
    }

    @Test func `a folder without a template and broken files are named`() throws {
        try withFolder { folder in
            let none = #expect(throws: ChatTemplateError.self) { try ChatTemplate(folder: folder) }
            #expect(none?.code == .file)
            #expect(none?.description.contains(folder.path) == true)
            try write("{", "tokenizer_config.json", folder)
            let broken = #expect(throws: ChatTemplateError.self) { try ChatTemplate(folder: folder) }
            #expect(broken?.code == .malformed)
            #expect(broken?.description.contains("tokenizer_config.json") == true)
            try write(#"{"chat_template": 5}"#, "tokenizer_config.json", folder)
            #expect(throws: ChatTemplateError.self) { try ChatTemplate(folder: folder) }
            try write("{}", "tokenizer_config.json", folder)
            try write("\n{{ x", "chat_template.jinja", folder)
            let syntax = #expect(throws: ChatTemplateError.self) { try ChatTemplate(folder: folder) }
            #expect(syntax?.description.contains("chat_template.jinja, line 2") == true)
        }
    }

    @Test func `JSON keeps the order of its keys and its kinds of numbers`() throws {
        let value = try TemplateValue(
            json: #" {"b": [1, -0, 1.0, 1e2, -2.5E-1], "a": {"z": null, "y": "\u00e9\ud83d\ude00\n"}, "b": true} "#)
        guard case .object(let object) = value else { throw CocoaError(.coderReadCorrupt) }
        #expect(object.entries.map(\.key) == ["b", "a"])
        #expect(object["b"] == true)
        #expect(object["a"]?["y"] == "é😀\n")
        #expect(
            try TemplateValue(json: "[1, -0, 1.0, 1e2, -2.5E-1]") == [1, 0, .double(1), .double(100), .double(-0.25)])
        // An accent apart from its letter is another key.
        guard case .object(let accents) = try TemplateValue(json: #"{"é": 1, "e\u0301": 2}"#) else {
            throw CocoaError(.coderReadCorrupt)
        }
        #expect(accents.entries.count == 2)
    }

    @Test(arguments: [
        "", "{", "[1,]", "[1 2]", "{\"a\"}", "{a: 1}", "nul", "01", "1.", "+1", "\"\\q\"", "\"\u{1}\"", "\"abc",
        "[1] 2", "\"\\ud800\"", "\"\\u12\"", "-",
        "99999999999999999999", "1e999", "{\"a\":1,}", "[\"\\ud800\\u0041\"]", String(repeating: "[", count: 100_000),
    ])
    func `broken JSON is refused`(_ json: String) {
        let error = #expect(throws: ChatTemplateError.self) { try TemplateValue(json: json) }
        #expect(error?.code == .malformed)
    }
}
