import ArgumentParser
import Conversations
import Foundation
import Improvement
import Server

/// How the API of `loam serve` is guarded and reached, and what it serves beside the bot.
struct APIOptions: ParsableArguments {
    @Flag(name: .long, help: "Nobody uses /v1 without a key of `loam keys`, even while there is none.")
    var requireKeys = false

    @Option(name: .long, help: "Certificates in PEM: serve HTTPS. Goes with --tls-key.")
    var tlsCert: String?

    @Option(name: .long, help: "The certificate's key in PEM.")
    var tlsKey: String?

    @Option(
        name: .long, parsing: .upToNextOption,
        help: "Proxies (10.0.0.7, 10.0.0.0/8) whose X-Forwarded-For is believed.")
    var trustedProxy: [String] = []

    @Option(name: .long, help: "Folder of a reward model: answers /v1/rewards.")
    var reward: String?

    @Option(name: .long, help: "Name under which the sentence encoder answers /v1/embeddings.")
    var embeddingModel = APIOptions.usualEmbeddingModel

    @Flag(name: .long, help: "A line on standard error for each request: route, status, id; never a word of anybody.")
    var logRequests = false

    func validate() throws {
        guard (tlsCert == nil) == (tlsKey == nil) else { throw ValidationError("--tls-cert goes with --tls-key") }
        do {
            _ = try TrustedProxies(trustedProxy)
        } catch {
            // ArgumentParser shows only its own kind of error as it is.
            throw ValidationError("\(error)")
        }
    }

    var tls: TLSFiles? {
        guard let tlsCert, let tlsKey else { return nil }
        return TLSFiles(certificate: URL(filePath: tlsCert), key: URL(filePath: tlsKey))
    }

    /// The encoder that `Scripts/setup` installs.
    static let usualEmbeddingModel = "all-MiniLM-L6-v2"

    /// The reward model, where one is named; it is known by its folder's name.
    func judge(encoder: any TextEncoder) throws -> RewardJudge? {
        guard let reward else { return nil }
        let folder = URL(filePath: reward)
        return RewardJudge(
            id: folder.standardizedFileURL.lastPathComponent,
            model: try RewardRanking.open(folder, today: Date(), makeEncoder: { encoder }))
    }

    func proxies() throws -> TrustedProxies { try TrustedProxies(trustedProxy) }
}
