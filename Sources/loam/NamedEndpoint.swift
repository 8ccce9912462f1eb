import Foundation
import Remote

/// The model behind a URL that somebody named on the command line; its key is in LOAM_ENDPOINT_KEY.
enum NamedEndpoint {
    /// - Parameters:
    ///   - base: an OpenAI-compatible URL, `…/v1`. Whoever names one may name one of their own, so private addresses are allowed.
    ///   - model: the model's name there.
    static func open(_ base: String, model: String) -> ModelEndpoint {
        ModelEndpoint(
            base: base, model: model, key: ProcessInfo.processInfo.environment["LOAM_ENDPOINT_KEY"],
            client: WebClient(
                rule: AddressRule(allowsPrivate: true), limits: .init(seconds: 60, bytes: 8_000_000, redirects: 0)))
    }
}
