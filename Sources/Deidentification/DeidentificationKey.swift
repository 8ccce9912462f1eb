import Foundation
import Hashing

/// The secret that pseudonyms are drawn with. Whoever has it can test guesses about who is who; keep it apart from the data.
public struct DeidentificationKey: Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    /// At least 16 bytes.
    public init(bytes: [UInt8]) throws(DeidentificationError) {
        guard bytes.count >= 16 else {
            throw DeidentificationError(
                .key, "a de-identification key needs at least 16 bytes, this one has \(bytes.count)")
        }
        self.bytes = bytes
    }

    /// 32 bytes from a generator; give the system's one outside tests.
    public init(using generator: inout some RandomNumberGenerator) {
        var bytes: [UInt8] = []
        for _ in 0..<4 {
            let word = generator.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        self.bytes = bytes
    }

    /// Reads a key file: hexadecimal digits on one line, readable by its owner alone.
    public init(contentsOf url: URL) throws(DeidentificationError) {
        let data: Data
        let mode: Int
        do {
            data = try Data(contentsOf: url)
            let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
            mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        } catch {
            throw DeidentificationError(.key, "\(url.path): the key file cannot be read")
        }
        guard mode & 0o077 == 0 else {
            throw DeidentificationError(
                .key,
                "\(url.path): others may read the key (mode \(String(mode, radix: 8))); run chmod 600 on it")
        }
        guard let text = String(data: data, encoding: .utf8),
            let bytes = Self.bytes(hex: text.trimmingCharacters(in: .whitespacesAndNewlines))
        else {
            throw DeidentificationError(.key, "\(url.path): expected one line of hexadecimal digits")
        }
        guard bytes.count >= 16 else {
            throw DeidentificationError(.key, "\(url.path): expected at least 32 hexadecimal digits")
        }
        self.bytes = bytes
    }

    /// Reads the key at `url`, or writes a new one there (mode 0600, its folder made where missing) when there is none.
    public static func loadOrCreate(
        at url: URL, using generator: inout some RandomNumberGenerator
    ) throws(DeidentificationError) -> DeidentificationKey {
        if FileManager.default.fileExists(atPath: url.path) { return try DeidentificationKey(contentsOf: url) }
        let key = DeidentificationKey(using: &generator)
        try? FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        // Opened with its mode from the start and never over an existing file: no moment in which others may read it, and
        // of two processes that start at once only one writes.
        let descriptor = url.path.withCString { open($0, O_WRONLY | O_CREAT | O_EXCL, 0o600) }
        guard descriptor >= 0 else {
            if FileManager.default.fileExists(atPath: url.path) { return try DeidentificationKey(contentsOf: url) }
            throw DeidentificationError(.key, "\(url.path): the key file cannot be written")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data((key.bytes.hex + "\n").utf8))
            try file.synchronize()
            try file.close()
        } catch {
            throw DeidentificationError(.key, "\(url.path): the key file cannot be written")
        }
        return key
    }

    /// Never shows the key.
    public var description: String { "DeidentificationKey(\(8 * bytes.count) bits)" }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for i in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[i]), let low = value(digits[i + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
