// A process that the fault tests end at a bad moment: it writes batches into a store and says each time that it has.
//
//   store-writer ADDRESS PREFIX [LARGEST-FILE-IN-BYTES]
import Conversations
import Foundation
import Storage

let arguments = CommandLine.arguments
if arguments.count > 3, let limit = UInt(arguments[3]) {
    // As a full disk: writing beyond this fails.
    signal(SIGXFSZ, SIG_IGN)
    var sizes = rlimit(rlim_cur: limit, rlim_max: limit)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &sizes)
}

func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

do {
    let store = try await StoreLocation(arguments[1]).open()
    for batch in 0..<1_000_000 {
        let conversations = (0..<20).map { index in
            Conversation(
                id: "\(arguments[2])-\(batch)-\(index)", userID: "u\(index)",
                messages: (0..<3).map { place in
                    Message(
                        id: "\(place)", sender: place % 2 == 0 ? .human : .bot,
                        text: String(repeating: "words ", count: 40 + (batch + place) % 50),
                        feedback: place == 1 ? [Feedback(userID: "u\(index)", rating: .like)] : [])
                })
        }
        let summary = try await store.save(conversations)
        guard summary.added == 20 else { throw CocoaError(.fileWriteUnknown) }
        say("\(batch)")
    }
} catch {
    say("failed: \(error)")
    exit(3)
}
