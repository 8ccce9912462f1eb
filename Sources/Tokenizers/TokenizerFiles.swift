import Foundation

/// The files of a model folder that make its tokenizer, its chat template and its way of ending a reply: what a tuned model
/// keeps of its base, byte for byte.
public enum TokenizerFiles {
    /// Names of files and, of templates beside the main one, a folder.
    public static let names = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "merges.txt", "tokenizer.model", "chat_template.jinja", "additional_chat_templates", "generation_config.json",
    ]

    /// Copies what is there from one folder to another, in the place of what stands there.
    /// - Throws: `TokenizersError` naming the file that cannot be copied.
    public static func carry(from base: URL, to folder: URL) throws {
        guard base.standardizedFileURL != folder.standardizedFileURL else { return }
        let files = FileManager.default
        try? files.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in names {
            let (source, target) = (base.appending(path: name), folder.appending(path: name))
            guard files.fileExists(atPath: source.path) else { continue }
            do {
                if files.fileExists(atPath: target.path) { try files.removeItem(at: target) }
                // What a link points to, not the link: model folders of a cache are full of them.
                try files.copyItem(at: source.resolvingSymlinksInPath(), to: target)
            } catch {
                throw TokenizersError(
                    .file, file: target.path, "cannot be copied from \(base.path): \(error.localizedDescription)")
            }
        }
    }
}
