import Foundation

/// Compares findings with marked spans.
///
/// A marked span counts as found when at least half of its characters other than spaces lie in findings of its kind, however
/// many of them; a finding counts as right when at least half of its characters lie in marked spans of its kind. An address
/// may be marked in pieces or as one and be found either way, so pieces are not matched one to one.
///
/// Kinds that a file never marks are not judged by it: they have rows of their own and are left out of the sums.
public struct DeidentificationScorer: Sendable {
    /// What a marked kind is sought as. Kinds that are absent are not sought: job titles and dates that are no birthdays
    /// stay, and do not enter recall.
    public static let sought: [String: Entity] = [
        "PERSON": .person, "EMAIL_ADDRESS": .emailAddress, "PHONE_NUMBER": .phoneNumber, "URL": .url,
        "DOMAIN_NAME": .url, "IP_ADDRESS": .ipAddress, "CREDIT_CARD": .creditCard, "US_SSN": .socialSecurityNumber,
        "IBAN_CODE": .iban, "IBAN": .iban, "US_DRIVER_LICENSE": .driverLicense, "US_PASSPORT": .passport,
        "ADDRESS": .streetAddress, "STREET_ADDRESS": .streetAddress, "DATE_OF_BIRTH": .dateOfBirth,
        "USERNAME": .userName, "LOCATION": .location, "ORGANIZATION": .organization, "AGE": .age,
        "ZIP_CODE": .postalCode, "POSTAL_CODE": .postalCode, "US_ITIN": .taxpayerNumber, "US_BANK_NUMBER": .bankAccount,
        "ABA_ROUTING_NUMBER": .routingNumber, "US_NPI": .providerNumber, "US_MBI": .beneficiaryNumber,
        "MEDICAL_LICENSE": .medicalLicense, "CRYPTO": .crypto, "MAC_ADDRESS": .macAddress,
    ]
    /// Kinds that count for one another: a town in an address is found with it, and a post code may be marked as one.
    static let equivalents: [Entity: Set<Entity>] = [
        .location: [.location, .streetAddress], .streetAddress: [.streetAddress, .postalCode],
        .postalCode: [.postalCode, .streetAddress],
    ]
    /// Marked kinds that a finding may also cover without being wrong: the town in an address, a title with a name, a
    /// birthday marked as a date.
    static let allowed: [Entity: Set<String>] = [
        .streetAddress: ["LOCATION", "ZIP_CODE"], .person: ["PREFIX", "NAME"], .dateOfBirth: ["DATE_TIME", "DATE"],
        .location: ["ADDRESS", "STREET_ADDRESS"], .postalCode: ["ADDRESS", "LOCATION"],
    ]
    /// Found only where they identify somebody, so that marks of all of them are no measure: out of the sums.
    static let outside: Set<Entity> = [.organization]
    static let names: Set<Entity> = [.person, .location, .organization]

    public init() {}

    /// Scores a de-identifier on marked texts.
    public func score(_ texts: [LabelledText], with deidentifier: Deidentifier) -> DeidentificationScore {
        score(texts) { deidentifier.findings(in: $0) }
    }

    /// Scores any finder on marked texts.
    public func score(_ texts: [LabelledText], finding: (String) -> [Finding]) -> DeidentificationScore {
        score(texts, found: texts.map { finding($0.text) })
    }

    /// Scores what was found in marked texts, text by text.
    public func score(_ texts: [LabelledText], found: [[Finding]]) -> DeidentificationScore {
        var rows: [Entity: DeidentificationScore.Row] = [:]
        var notSought: [String: (marked: Int, removed: Int)] = [:]
        var misses: [DeidentificationScore.Miss] = []
        var alarms = 0
        for (index, text) in texts.enumerated() {
            let scalars = Array(text.text.unicodeScalars)
            let findings = Self.inCodePoints(found[index], text.text)
            for span in text.spans where span.start < span.end && span.end <= scalars.count && span.start >= 0 {
                let range = span.start..<span.end
                let removed = Self.share(of: range, scalars, in: findings.map(\.range)) == 1
                guard let entity = Self.sought[span.entity] else {
                    notSought[span.entity, default: (0, 0)].marked += 1
                    if removed { notSought[span.entity, default: (0, 0)].removed += 1 }
                    continue
                }
                let kinds = Self.equivalents[entity] ?? [entity]
                let same = findings.filter { kinds.contains($0.entity) }.map(\.range)
                rows[entity, default: .init()].marked += 1
                if removed { rows[entity, default: .init()].removed += 1 }
                if Self.share(of: range, scalars, in: same) >= 0.5 {
                    rows[entity, default: .init()].found += 1
                } else {
                    misses.append(.init(text: index, entity: span.entity, start: span.start, end: span.end))
                }
            }
            for found in findings {
                if !text.spans.contains(where: { ($0.start..<max($0.start, $0.end)).overlaps(found.range) }) {
                    alarms += 1
                }
                let same = text.spans.filter {
                    Self.sought[$0.entity] == found.entity || Self.allowed[found.entity]?.contains($0.entity) == true
                }.map { max(0, $0.start)..<max(0, $0.start, $0.end) }
                rows[found.entity, default: .init()].findings += 1
                if Self.share(of: found.range, scalars, in: same) >= 0.5 {
                    rows[found.entity, default: .init()].right += 1
                }
                if same.contains(found.range) { rows[found.entity, default: .init()].exact += 1 }
            }
        }
        let judged = rows.filter { $0.value.marked > 0 && !Self.outside.contains($0.key) }
        return DeidentificationScore(
            rows: rows, overall: judged.values.reduce(.init(), +),
            patterns: judged.filter { !Self.names.contains($0.key) }.values.reduce(.init(), +), notSought: notSought,
            misses: misses, texts: texts.count, alarms: alarms)
    }

    /// Findings with code points in place of UTF-8 offsets.
    static func inCodePoints(_ findings: [Finding], _ text: String) -> [(entity: Entity, range: Range<Int>)] {
        guard !findings.isEmpty else { return [] }
        var places: [Int] = []
        places.reserveCapacity(text.utf8.count + 1)
        var count = 0
        for byte in text.utf8 {
            places.append(count)
            // At a boundary between characters this is the number of code points before it.
            if byte & 0xC0 != 0x80 { count += 1 }
        }
        places.append(count)
        return findings.map {
            ($0.entity, places[min($0.start, places.count - 1)]..<places[min($0.end, places.count - 1)])
        }
    }

    /// Share of a range's characters, without spaces, that lie in any of the others.
    private static func share(of range: Range<Int>, _ scalars: [Unicode.Scalar], in others: [Range<Int>]) -> Double {
        let near = others.filter { $0.overlaps(range) }
        guard !near.isEmpty else { return 0 }
        var all = 0
        var inside = 0
        for i in range.clamped(to: scalars.indices) where !scalars[i].properties.isWhitespace {
            all += 1
            if near.contains(where: { $0.contains(i) }) { inside += 1 }
        }
        return all == 0 ? 0 : Double(inside) / Double(all)
    }
}
