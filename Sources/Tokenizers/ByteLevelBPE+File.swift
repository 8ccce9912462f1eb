import Foundation

extension ByteLevelBPE {
    /// Reads a Hugging Face `tokenizer.json` of GPT-2's kind: BPE over bytes, GPT-2's word pattern, no normalizer.
    ///
    /// Files that need more (another word pattern, a normalizer, byte fallback) are refused, since reading on would
    /// give ids that the model was not trained on.
    /// - Throws: `TokenizersError` that names the file and the field.
    public init(contentsOf url: URL) throws {
        func fault(_ code: TokenizersError.Code, _ message: String) -> TokenizersError {
            TokenizersError(code, file: url.path, message)
        }
        let file = try TokenizerFile(url)
        if let why = file.refusal { throw fault(.unsupported, why) }
        var special: [Int: String] = [:]
        var added: [Int: String] = [:]
        for token in file.addedTokens {
            if token.special { special[token.id] = token.content } else { added[token.id] = token.content }
        }
        let largest = max(file.model.vocab.values.max() ?? 0, special.keys.max() ?? 0, added.keys.max() ?? 0)
        // A hole in the ids is allowed, a far-off id that would only make room is not.
        guard largest < 4 * (file.model.vocab.count + file.addedTokens.count) + 65_536 else {
            throw fault(.malformed, "id \(largest) is far beyond the number of tokens")
        }
        var tokens = [[UInt8]?](repeating: nil, count: largest + 1)
        var byteIDs = [Int32](repeating: -1, count: 256)
        for (token, id) in file.model.vocab {
            guard id >= 0 else { throw fault(.malformed, "vocab: \"\(token)\" has the id \(id)") }
            if special[id] == token || added[id] == token { continue }
            guard tokens[id] == nil, special[id] == nil, added[id] == nil else {
                throw fault(.malformed, "vocab: id \(id) is given twice")
            }
            guard let bytes = ByteAlphabet.bytes(of: token), !bytes.isEmpty else {
                throw fault(.malformed, "vocab: \"\(token)\" is not in the byte-level alphabet")
            }
            tokens[id] = bytes
            if bytes.count == 1 { byteIDs[Int(bytes[0])] = Int32(id) }
        }
        if let missing = byteIDs.firstIndex(of: -1) {
            throw fault(.missingToken, "vocab lacks the byte \(missing), so some texts would have no ids")
        }
        var merges: [(left: Int32, right: Int32, id: Int32)] = []
        for (number, merge) in file.model.merges.pairs.enumerated() {
            guard let left = file.model.vocab[merge.left], let right = file.model.vocab[merge.right],
                let made = file.model.vocab[merge.left + merge.right]
            else {
                throw fault(
                    .malformed, "merges[\(number)]: \"\(merge.left)\" + \"\(merge.right)\" is not in the vocabulary")
            }
            // Text must never become an added token, whatever the file says.
            if [left, right, made].contains(where: { special[$0] != nil || added[$0] != nil }) { continue }
            merges.append((Int32(left), Int32(right), Int32(made)))
        }
        self.init(tokens: tokens, special: special, added: added, byteIDs: byteIDs, mergeList: merges)
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
