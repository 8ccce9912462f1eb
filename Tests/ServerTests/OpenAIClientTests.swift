import Conversations
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: OpenAI's own client")
struct OpenAIClientTests {
    @Test(
        "works unchanged: chats, completions, embeddings, moderations, models, errors", .enabled(if: TestPython.isThere)
    )
    func unchanged() async throws {
        let generator = ScriptedGenerator { turns, _ in
            turns.last?.text == "long"
                ? (0..<40).map { "\($0) " } : ["You", " said", " “\(turns.last?.text ?? "")”."]
        }
        let bench = try Workbench(generator, beside: .forTests())
        let (secret, key) = APIKey.make(name: "client", role: .client, now: bench.clock.now)
        try await bench.store.add(key)
        try await bench.server.application(port: 0).test(.live) { client in
            let port = try #require(client.port)
            let (status, output) = try await TestPython.run(
                script: "openai_client.py", ["http://localhost:\(port)/v1", secret])
            #expect(status == 0, "\(output)")
            #expect(output.hasSuffix("all is well\n"))
        }
    }
}
