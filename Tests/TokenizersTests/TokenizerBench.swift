import Foundation
import Testing
import Tokenizers

/// Speed, for `Benchmarks/peers/tokenizer_speed.py`, which runs this with the same files and divides: CPU seconds of one thread
/// for reading a tokenizer, encoding the lines of a text, and decoding them again.
@Suite struct TokenizerBench {
    static let folder = ProcessInfo.processInfo.environment["LOAM_TOKENIZER_BENCH"]

    static func seconds<R>(_ body: () throws -> R) rethrows -> (R, Double) {
        var (start, end) = (timespec(), timespec())
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
        let result = try body()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
        return (result, Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9)
    }

    @Test(.enabled(if: folder != nil)) func measure() throws {
        let folder = URL(fileURLWithPath: Self.folder!)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let texts = try files.filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }.map { url in
            let text = try String(contentsOf: url, encoding: .utf8)
            var lines: [String] = []
            text.enumerateLines { line, _ in lines.append(line) }
            return (url.deletingPathExtension().lastPathComponent, lines)
        }
        for (name, lines) in texts {
            let (trained, training) = Self.seconds { ByteLevelBPE.train(texts: lines, vocabularySize: 8000) }
            print("train", name, trained.vocabularySize, training)
        }
        for file in files.filter({ $0.pathExtension == "json" }).sorted(by: { $0.path < $1.path }) {
            let (tokenizer, reading) = try Self.seconds { try PretrainedTokenizer(file: file) }
            for (name, lines) in texts {
                let size = lines.reduce(0) { $0 + $1.utf8.count }
                let (ids, encoding) = Self.seconds { lines.map { tokenizer.encode($0) } }
                let (decoded, decoding) = Self.seconds { ids.map { tokenizer.decode($0) } }
                #expect(decoded.count == lines.count)
                print(
                    "bench", file.deletingPathExtension().lastPathComponent, name, size,
                    ids.reduce(0) { $0 + $1.count },
                    reading, encoding, decoding)
            }
        }
    }
}
