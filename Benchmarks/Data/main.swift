// Import and export by the rooms alone, without the rest of the binary: builds in a minute, and is what a profiler should see.
//
//   data-bench import FORMAT LOG STORE     data-bench export STORE FILE     data-bench copy STORE STORE
import Conversations
import Foundation
import Storage

let arguments = CommandLine.arguments
guard arguments.count >= 4 else {
    fatalError("data-bench import FORMAT LOG STORE | export STORE FILE | copy STORE STORE")
}
switch arguments[1] {
case "import":
    let store = try await StoreLocation(arguments[4]).open()
    let format = try LogFormat(parsing: arguments[2])
    var (conversations, messages) = (0, 0)
    for file in try LogFormat.files(at: URL(filePath: arguments[3])) {
        let log = try format.mapped(file) { EncodedConversation($0) }
        while let batch = try await log.next() {
            var kept: [EncodedConversation] = []
            for case .value(let conversation) in batch {
                messages += conversation.messageCount
                kept.append(conversation)
            }
            conversations += try await store.save(kept).added
        }
    }
    print("\(conversations) conversations, \(messages) messages")
case "export":
    let store = try await StoreLocation(arguments[2]).openExisting()
    var writer = try LogWriter(URL(filePath: arguments[3]))
    for try await conversation in store.conversations() { try writer.write(conversation) }
    try writer.close()
case "copy":
    print(try await StoreLocation(arguments[2]).openExisting().copy(into: StoreLocation(arguments[3]).open()), "rows")
default: fatalError("unknown: \(arguments[1])")
}
