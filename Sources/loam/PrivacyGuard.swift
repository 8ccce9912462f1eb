import Deidentification
import Dialogue

/// De-identification as the bot asks it: what reaches a person (an address, a number, an account) is neither remembered nor
/// searched for. A name, an age, a town or an employer stays: people expect to be known by them.
struct PrivacyGuard: PrivacyCheck {
    private let deidentifier: Deidentifier

    init() throws {
        // Nothing is replaced here, so the key serves nobody.
        var random = SystemRandomNumberGenerator()
        deidentifier = try Deidentifier(key: DeidentificationKey(using: &random))
    }

    func identifiers(in text: String) -> [String] {
        Set(deidentifier.findings(in: text).map(\.entity)).subtracting([.person, .age, .location, .organization])
            .sorted().map(\.rawValue)
    }
}
