import ArgumentParser
import Foundation
import Tokenizers

struct DetokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detokenize", abstract: "Lines of token ids to lines of text.",
        discussion: """
            Reads standard input, ids with spaces or commas between them, and writes the text of each line.

            Example: echo '31373 612' | loam detokenize --model models/base
            """)

    @OptionGroup var tokenizer: TokenizerOptions

    @Flag(name: .long, help: "Show special tokens, which are left out otherwise.")
    var special = false

    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var lines: [String]
    }

    func run() async throws {
        let tokenizer = try tokenizer.open()
        var answer = Answer(lines: [])
        for (number, line) in InputLines().enumerated() {
            let ids = try line.split(whereSeparator: { $0.isWhitespace || $0 == "," }).map { word in
                guard let id = Int(word), tokenizer.token(of: id) != nil else {
                    throw ValidationError(
                        "standard input, line \(number + 1): \(word.prefix(32)) is not an id of this tokenizer")
                }
                return id
            }
            let text = tokenizer.decode(ids, skippingSpecialTokens: !special)
            if common.json { answer.lines.append(text) } else { print(text) }
        }
        try common.console.result(answer)
    }
}
