import ArgumentParser
import Conversations
import Foundation
import Generation

struct EmbedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Texts in, vectors out: the sentence encoder that Loam reads with.",
        discussion: """
            Reads one text a line; with --strings each line is a JSON string, so that a text may hold line ends. Writes one
            JSON array a line, or with --out one NumPy file (float32, a row for each text, of length 1).

            Example: echo 'hello there' | loam embed
                     loam embed --data texts.txt --out vectors.npy
            """)

    @Option(name: .long, help: "The texts (default: standard input).")
    var data: String?

    @Option(name: .long, help: "A NumPy file to write (.npy).")
    var out: String?

    @Flag(name: .long, help: "Each line is a JSON string.")
    var strings = false

    @Option(name: .long, help: "Tokens of a text that are read at most.")
    var maximumLength = 256

    @OptionGroup var places: PlaceOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var texts: Int
        var dimension: Int
    }

    func validate() throws {
        guard out != nil || !common.json else {
            throw ValidationError(
                "--json needs --out: without a file the vectors themselves are what is printed, as JSON")
        }
        guard maximumLength > 2 else { throw ValidationError("--maximum-length is 3 at least") }
    }

    func run() async throws {
        let texts = try read()
        let encoder = try SentenceEncoder(folder: URL(filePath: places.encoderFolder), maximumLength: maximumLength)
        let vectors: VectorFile? = try out.map {
            try VectorFile(URL(filePath: $0), rows: texts.count, columns: encoder.dimension)
        }
        var start = 0
        while start < texts.count {
            let part = Array(texts[start..<min(start + 4096, texts.count)])
            for vector in try await encoder.encode(part) {
                if let vectors {
                    try vectors.append(vector)
                } else if !common.json {
                    print("[" + vector.map(\.description).joined(separator: ",") + "]")
                }
            }
            start += part.count
            if texts.count > 4096 { common.console.say("\(start) of \(texts.count) texts") }
        }
        try vectors?.close()
        try common.console.result(Answer(texts: texts.count, dimension: encoder.dimension))
    }

    private func read() throws -> [String] {
        let lines = try data.map(TextLines.read) ?? Array(InputLines())
        guard strings else { return lines }
        let decoder = JSONDecoder()
        return try lines.enumerated().map { number, line in
            guard let text = try? decoder.decode(String.self, from: Data(line.utf8)) else {
                throw UnreadableTexts(description: "\(data ?? "standard input"), line \(number + 1): not a JSON string")
            }
            return text
        }
    }
}

/// Why there is nothing to embed.
struct UnreadableTexts: InputFault, Hashable, CustomStringConvertible {
    var description: String
}

/// A NumPy array of float32 on disk, written row by row beside its place and then moved there.
private final class VectorFile {
    private let url: URL
    private let temporary: URL
    private let handle: FileHandle

    /// Writes the header: format 1.0 of NumPy's `.npy`.
    init(_ url: URL, rows: Int, columns: Int) throws {
        self.url = url
        temporary = url.appendingPathExtension("part")
        guard FileManager.default.createFile(atPath: temporary.path, contents: nil) else {
            throw UnreadableTexts(description: "\(temporary.path): cannot be written")
        }
        handle = try FileHandle(forWritingTo: temporary)
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
        // Ten bytes go before it; the data begin at a multiple of 64.
        header += String(repeating: " ", count: (64 - (header.utf8.count + 11) % 64) % 64) + "\n"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
        bytes += [UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)]
        try handle.write(contentsOf: bytes + Array(header.utf8))
    }

    func append(_ row: [Float]) throws {
        try handle.write(contentsOf: row.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) })
    }

    func close() throws {
        try handle.close()
        guard rename(temporary.path, url.path) == 0 else {
            throw UnreadableTexts(description: "\(url.path): cannot be written")
        }
    }
}
