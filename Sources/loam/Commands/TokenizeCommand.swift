import ArgumentParser
import Conversations
import Foundation
import Tokenizers

/// Which tokenizer a command reads.
struct TokenizerOptions: ParsableArguments {
    @Option(name: .long, help: "Folder of the model, or its tokenizer.json.")
    var model: String

    func open() throws -> PretrainedTokenizer {
        let url = URL(filePath: model)
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        return try exists && !isFolder.boolValue ? PretrainedTokenizer(file: url) : PretrainedTokenizer(folder: url)
    }
}

extension AddedTokenParsing: ExpressibleByArgument {}

/// Lines of standard input, without their line ends; a carriage return is part of the text.
struct InputLines: Sequence, IteratorProtocol {
    mutating func next() -> String? {
        guard var line = readLine(strippingNewline: false) else { return nil }
        if line.utf8.last == 0x0A {
            // As scalars, since `\r\n` is one character.
            line.unicodeScalars.removeLast()
        }
        return line
    }
}

struct TokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Lines of text to lines of token ids.",
        discussion: """
            Reads standard input and writes ids with spaces between them, one line for each. A special token that is
            spelled out in the text stays text unless --parse all says otherwise.

            Example: echo 'hello there' | loam tokenize --model models/base
            """)

    @OptionGroup var tokenizer: TokenizerOptions

    @Flag(name: .long, help: "With the special tokens that the model expects around a text.")
    var special = false

    @Option(
        name: .long, help: "Which added tokens are found in the text: none, ordinary (not the special ones) or all.")
    var parse: AddedTokenParsing = .ordinary

    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        struct Line: Encodable {
            var ids: [Int]
            var tokens: [String]
        }
        var lines: [Line]
        var count: Int
    }

    func run() async throws {
        let tokenizer = try tokenizer.open()
        var answer = Answer(lines: [], count: 0)
        for line in InputLines() {
            let ids = tokenizer.encode(line, parsing: parse, addingSpecialTokens: special)
            if common.json {
                answer.lines.append(.init(ids: ids, tokens: ids.map { tokenizer.token(of: $0) ?? "" }))
                answer.count += ids.count
            } else {
                print(ids.map(String.init).joined(separator: " "))
            }
        }
        try common.console.result(answer)
    }
}
