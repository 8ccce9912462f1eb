import Foundation

/// `metrics.jsonl`: one line per step, each written by one call, so that a reader never sees half a line of a living run.
struct MetricsLog {
    let url: URL

    /// Opens the log for a run that goes on after `step`: later lines, and a last one that a kill cut short, are dropped.
    init(_ url: URL, after step: Int) throws {
        self.url = url
        let old = (try? Data(contentsOf: url)) ?? Data()
        let decoder = JSONDecoder()
        var kept = Data()
        for line in old.split(separator: UInt8(ascii: "\n")) {
            guard let metrics = try? decoder.decode(StepMetrics.self, from: Data(line)), metrics.step <= step else {
                continue
            }
            kept.append(contentsOf: line)
            kept.append(UInt8(ascii: "\n"))
        }
        do {
            try kept.write(to: url, options: .atomic)
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error.localizedDescription)")
        }
    }

    func append(_ metrics: StepMetrics) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            var line = try encoder.encode(metrics)
            line.append(UInt8(ascii: "\n"))
            let handle = try FileHandle(forWritingTo: url)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// All whole lines of a log.
    static func read(_ url: URL) throws -> [StepMetrics] {
        let decoder = JSONDecoder()
        return try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).compactMap {
            try? decoder.decode(StepMetrics.self, from: Data($0))
        }
    }
}
