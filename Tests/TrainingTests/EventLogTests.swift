import Foundation
import Testing

@testable import Training

@Suite("Event files")
struct EventLogTests {
    @Test("CRC-32C has the values of its published vectors (RFC 3720, B.4)")
    func checksums() {
        #expect(EventRecord.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(EventRecord.crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(EventRecord.crc32c(Array(0..<32)) == 0x46DD_794E)
        #expect(EventRecord.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test("messages are the bytes that protocol buffers ask for")
    func messages() {
        // wall_time 1.5 (field 1, 64 bits), file_version (field 3).
        #expect(
            EventRecord.version(time: 1.5)
                == [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x1A, 13] + Array("brain.Event:2".utf8))
        // step 300 (field 2), summary (5) of one value (1): tag (1) and simple_value (2, 32 bits).
        #expect(
            EventRecord.scalars([("a", 2)], step: 300, time: 1.5)
                == [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 0xAC, 2, 0x2A, 10, 10, 8, 10, 1, 0x61, 0x15, 0, 0, 0, 0x40])
        #expect(
            EventRecord.resumed(step: 5, time: 1.5)
                == [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 5, 0x3A, 2, 8, 1])
    }

    @Test("a file is the records behind one another; each part of a run has one of its own")
    func file() throws {
        let folder = TrainerTests.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try EventLog(in: folder, after: 0, now: 10)
        let again = try EventLog(in: folder, after: 7, now: 10)
        #expect(log.url != again.url)
        #expect(log.url.lastPathComponent.hasPrefix("events.out.tfevents.0000000010."))
        let first = [UInt8](try Data(contentsOf: log.url))
        let body = EventRecord.version(time: 10)
        #expect(first.count == 8 + 4 + body.count + 4)
        #expect(Array(first[0..<8]) == [UInt8(body.count), 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(first[12..<12 + body.count]) == body)
        #expect(try Data(contentsOf: again.url).count > first.count)
    }
}
