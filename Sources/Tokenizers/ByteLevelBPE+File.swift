import Foundation

extension ByteLevelBPE {
    /// Reads a Hugging Face `tokenizer.json` of GPT-2's kind: BPE over bytes, GPT-2's word pattern, no normalizer.
    ///
    /// Files that need more (another word pattern, a normalizer, byte fallback) are refused, since reading on would
    /// give ids that the model was not trained on.
    /// - Throws: `TokenizersError` that names the file and the field.
    public init(contentsOf url: URL) throws {
        let file = try JSONField.read(url)
        try Self.check(file)
        let vocabulary = try TokenVocabulary(object: file["model"]["vocab"])
        let list = try AddedToken.read(file["added_tokens"])
        var special: [Int: String] = [:]
        var added: [Int: String] = [:]
        for token in list {
            let text = String(decoding: token.content, as: UTF8.self)
            if token.isSpecial { special[token.id] = text } else { added[token.id] = text }
        }
        var tokens = [[UInt8]?](repeating: nil, count: max(vocabulary.bound, (list.map(\.id).max() ?? -1) + 1))
        var byteIDs = [Int32](repeating: -1, count: 256)
        let field = file["model"]["vocab"]
        for id in 0..<vocabulary.bound {
            guard let spelling = vocabulary.spelling(of: id) else { continue }
            let token = String(decoding: spelling, as: UTF8.self)
            if let other = special[id] ?? added[id] {
                guard other == token else { throw field.fault(.malformed, "id \(id) is given twice") }
                continue
            }
            guard let bytes = ByteAlphabet.bytes(of: token), !bytes.isEmpty else {
                throw field.fault(.malformed, "\"\(token)\" is not in the byte-level alphabet")
            }
            tokens[id] = bytes
            if bytes.count == 1 { byteIDs[Int(bytes[0])] = Int32(id) }
        }
        if let missing = byteIDs.firstIndex(of: -1) {
            throw field.fault(.missingToken, "lacks the byte \(missing), so some texts would have no ids")
        }
        let merges = try BPEMerges.read(file["model"]["merges"], vocabulary, prefixLength: 0).filter { merge in
            // Text must never become an added token, whatever the file says.
            ![merge.left, merge.right, merge.id].contains { special[Int($0)] != nil || added[Int($0)] != nil }
        }
        self.init(
            tokens: tokens, special: special, added: added, byteIDs: byteIDs,
            mergeList: merges.map { ($0.left, $0.right, $0.id) })
    }

    /// Refuses files that byte-level BPE with GPT-2's words cannot stand for; `PretrainedTokenizer` reads those.
    private static func check(_ file: JSONField) throws {
        func refuse(_ field: JSONField, _ what: String) -> TokenizersError {
            field.fault(.unsupported, "\(what) is not supported here")
        }
        let model = file["model"]
        if !model["type"].isAbsent, try model.type() != "BPE" { throw refuse(model["type"], try model.type()) }
        if !file["normalizer"].isAbsent { throw refuse(file["normalizer"], try file["normalizer"].type()) }
        let words = file["pre_tokenizer"]
        guard !words.isAbsent else { throw refuse(words, "null") }
        guard try words.type() == "ByteLevel" else { throw refuse(words, try words.type()) }
        if try words["add_prefix_space"].bool(default: false) { throw refuse(words["add_prefix_space"], "true") }
        if try !words["use_regex"].bool(default: true) { throw refuse(words["use_regex"], "false") }
        if !file["decoder"].isAbsent, try file["decoder"].type() != "ByteLevel" {
            throw refuse(file["decoder"], try file["decoder"].type())
        }
        if !model["dropout"].isAbsent, try model["dropout"].double() > 0 { throw refuse(model["dropout"], "dropout") }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] where !model[name].isAbsent {
            if try !model[name].utf8().isEmpty { throw refuse(model[name], "a text") }
        }
        for name in ["byte_fallback", "ignore_merges"] where try model[name].bool(default: false) {
            throw refuse(model[name], "true")
        }
    }

    /// Writes `tokenizer.json`, whole or not at all. Hugging Face tokenizers gives the same ids for any text, save that
    /// there special tokens spelled out in a text become special tokens (unless `encode_special_tokens` is set).
    public func save(to url: URL) throws {
        do {
            try Data(json.utf8).write(to: url, options: .atomic)
        } catch {
            throw TokenizersError(.file, file: url.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    /// The contents of `tokenizer.json`. Written by hand to keep the vocabulary in the order of its ids.
    private var json: String {
        let extra = specialTokens.map { ($0.key, $0.value, true) } + addedTokens.map { ($0.key, $0.value, false) }
        let addedRows = extra.sorted { $0.0 < $1.0 }.map { id, text, special in
            "    {\"id\": \(id), \"content\": \(quote(text)), \"single_word\": false, \"lstrip\": false, "
                + "\"rstrip\": false, \"normalized\": false, \"special\": \(special)}"
        }
        let vocabularyRows = (0..<vocabularySize).compactMap { id in
            token(of: id).map { "      \(quote($0)): \(id)" }
        }
        let mergeRows = mergeList.map { merge in
            "      [\(quote(token(of: Int(merge.left)) ?? "")), \(quote(token(of: Int(merge.right)) ?? ""))]"
        }
        let byteLevel = "\"type\": \"ByteLevel\", \"add_prefix_space\""
        return """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
            \(addedRows.joined(separator: ",\n"))
              ],
              "normalizer": null,
              "pre_tokenizer": {\(byteLevel): false, "trim_offsets": true, "use_regex": true},
              "post_processor": null,
              "decoder": {\(byteLevel): true, "trim_offsets": true, "use_regex": true},
              "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": {
            \(vocabularyRows.joined(separator: ",\n"))
                },
                "merges": [
            \(mergeRows.joined(separator: ",\n"))
                ]
              }
            }

            """
    }

    private func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
