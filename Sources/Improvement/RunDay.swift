import Foundation
import Training

/// The moment at which a run began: the day that chat templates are told wherever the run writes a prompt.
///
/// Templates such as Llama 3's write today's date. A run that is cut before midnight and goes on after it must see the same
/// tokens, so the date is a property of the run: kept in its folder, written once.
public enum RunDay {
    /// The name of the file: one line, ISO 8601 in UTC, whole seconds.
    static let name = "began"

    /// When the run in a folder began: what the folder says, or `now`, which it says from then on.
    /// - Throws: `ImprovementError` naming the file that cannot be written or read.
    public static func of(_ folder: URL, now: Date) throws -> Date {
        let file = folder.appending(path: name)
        if !FileManager.default.fileExists(atPath: file.path) {
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data((now.formatted(.iso8601) + "\n").utf8).write(to: file, options: .atomic)
            } catch {
                throw ImprovementError.folder(file.path, error.localizedDescription)
            }
        }
        let text = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let date = try? Date(text, strategy: .iso8601) else {
            throw ImprovementError.unreadable(file.path, "`\(text)` is no moment like 2026-01-31T08:00:00Z")
        }
        return date
    }

    /// The same for processes that train together, of which only the first one needs the folder: all get its day.
    static func of(_ folder: URL, now: Date, in group: any ProcessGroup) throws -> Date {
        guard group.size > 1 else { return try of(folder, now: now) }
        let began = group.isFirst ? try of(folder, now: now).timeIntervalSince1970 : 0
        return Date(timeIntervalSince1970: try group.sum([began])[0])
    }
}
