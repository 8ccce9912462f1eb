import Conversations
import Foundation
import Testing

#if os(Linux)
    @Suite("Large logs")
    struct LargeLogTests {
        /// Resident memory now, in bytes.
        private func residentMemory() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            return try #require(Int(line.split(separator: " ")[1])) * 1024
        }

        @Test("150 MB are read in constant memory")
        func constantMemory() throws {
            // Long texts, so that a debug build is through in seconds.
            let text = String(repeating: "The kettle sings and the tea is nearly done. ", count: 3300)
            try withFile("") { file in
                var writer = try LogWriter(file)
                for i in 0..<1000 {
                    try writer.write(
                        Conversation(
                            id: "c\(i)", userID: "u\(i)", messages: [Message(id: "1", sender: .bot, text: text)]))
                }
                try writer.close()
                let size = try #require(try file.resourceValues(forKeys: [.fileSizeKey]).fileSize)
                #expect(size > 147_000_000)
                let before = try residentMemory()
                var peak = 0
                var count = 0
                let reader = try LogFormat.loam.reader(of: file)
                while let event = try reader.next() {
                    guard case .conversation(let conversation) = event else { continue }
                    count += conversation.messages.count
                    if count.isMultiple(of: 50) { peak = max(peak, try residentMemory()) }
                }
                #expect(count == 1000)
                #expect(peak > 0)
                // Other tests run beside this one, so it is not a few pieces of the file, but far from the file itself.
                #expect(peak - before < 64_000_000, "grew by \(peak - before) bytes")
            }
        }
    }
#endif
