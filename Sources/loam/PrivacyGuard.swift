import Deidentification
import Dialogue

/// De-identification as the bot asks it: what reaches a person (an address, a number, an account) is neither remembered nor
/// searched for. A name alone stays: people expect to be known by it.
struct PrivacyGuard: PrivacyCheck {
    private let deidentifier: Deidentifier

    init() throws {
        // Nothing is replaced here, so the key serves nobody.
        var random = SystemRandomNumberGenerator()
        deidentifier = try Deidentifier(key: DeidentificationKey(using: &random))
    }

    func identifiers(in text: String) -> [String] {
        Set(deidentifier.findings(in: text).map(\.entity)).subtracting([.person]).sorted().map(\.rawValue)
    }
}
