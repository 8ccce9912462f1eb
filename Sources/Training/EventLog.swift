import Foundation

/// TensorBoard's event file: every figure of every step as a curve.
///
/// The format is a run of TFRecords, each a length, the length's checksum, a serialised `Event` message and its checksum; of the
/// messages only the few fields that scalars need are written. Each record is written by one call.
struct EventLog {
    let url: URL

    /// Begins a file of its own; files of earlier parts of the run stay, and TensorBoard drops their steps after `step`.
    /// - Parameter now: Seconds since 1970, for the file's name and the records.
    init(in folder: URL, after step: Int, now: Double = Date().timeIntervalSince1970) throws {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        // Two parts of a run may begin in one second.
        let stem = String(format: "events.out.tfevents.%010.0f.", now) + name + ".\(getpid())."
        var number = 0
        while FileManager.default.fileExists(atPath: folder.appending(path: stem + "\(number)").path) { number += 1 }
        url = folder.appending(path: stem + "\(number)")
        var start = EventRecord.record(EventRecord.version(time: now))
        if step > 0 { start += EventRecord.record(EventRecord.resumed(step: step + 1, time: now)) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(start).write(to: url)
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error.localizedDescription)")
        }
    }

    func append(_ metrics: StepMetrics, now: Double = Date().timeIntervalSince1970) throws {
        let event = EventRecord.scalars(metrics.figures, step: metrics.step, time: now)
        do {
            let handle = try FileHandle(forWritingTo: url)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(EventRecord.record(event)))
        } catch {
            throw TrainingError(.file, "\(url.path) cannot be written: \(error.localizedDescription)")
        }
    }
}

/// Bytes of TFRecords and of the `Event` messages in them.
enum EventRecord {
    /// length (8 bytes, little endian), its masked CRC-32C, the bytes, their masked CRC-32C.
    static func record(_ bytes: [UInt8]) -> [UInt8] {
        let length = little(UInt64(bytes.count))
        return length + little(masked(crc32c(length))) + bytes + little(masked(crc32c(bytes)))
    }

    /// The first record of a file.
    static func version(time: Double) -> [UInt8] { wallTime(time) + text(3, Array("brain.Event:2".utf8)) }

    /// Says that steps from `step` on are written anew (a `SessionLog` of status `START`).
    static func resumed(step: Int, time: Double) -> [UInt8] {
        wallTime(time) + varint(2 << 3) + varint(UInt64(step)) + text(7, varint(1 << 3) + varint(1))
    }

    /// One value per curve.
    static func scalars(_ figures: [(name: String, value: Double)], step: Int, time: Double) -> [UInt8] {
        let summary = figures.flatMap { name, value in
            text(1, text(1, Array(name.utf8)) + varint(2 << 3 | 5) + little(Float(value).bitPattern))
        }
        return wallTime(time) + varint(2 << 3) + varint(UInt64(step)) + text(5, summary)
    }

    private static func wallTime(_ time: Double) -> [UInt8] { varint(1 << 3 | 1) + little(time.bitPattern) }

    /// A field of bytes: text or a message.
    private static func text(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// The checksum as TFRecords store it: turned by 15 bits and moved, so that a checksum of checksums is no fixed point.
    static func masked(_ crc: UInt32) -> UInt32 { (crc >> 15 | crc << 17) &+ 0xA282_EAD8 }

    /// CRC-32C (Castagnoli), bit by bit from a table of 256.
    static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
}
