import Foundation
import Testing

@testable import Simulation

@Suite struct SafetyMixTests {
    static let golden = URL(
        filePath: ProcessInfo.processInfo.environment["LOAM_DATA"] ?? "../shared/data"
    ).deletingLastPathComponent().appending(path: "golden/parlai.json")

    /// As RFC 1321, A.5, and FIPS 180-4 (SHA-256 of one and of two blocks) print them.
    @Test func hashesByTheStandards() {
        func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
        #expect(hex(Digests.md5([])) == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(hex(Digests.md5(Array("message digest".utf8))) == "f96b697d7cb7938d525a2f31aaf161d0")
        #expect(
            hex(Digests.md5(Array(String(repeating: "1234567890", count: 8).utf8)))
                == "57edf4a22be3c955ac49da2e2107b67a")
        #expect(
            hex(Digests.sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            hex(Digests.sha256(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(SafetyMix.isFlipped("abc"))
        #expect(!SafetyMix.isFlipped("message digest"))
        #expect(SafetyMix.fold(of: "abc") == 0xba % 3)
    }

    struct Golden: Decodable {
        struct Rule: Decodable {
            var text: String
            var isFlipped: Bool
            var fold: Int
            enum CodingKeys: String, CodingKey {
                case text
                case isFlipped = "flip_at_N0_8"
                case fold = "fold_of_3"
            }
        }
        struct Counts: Decodable {
            var count: Int
            var trolls: Int
            var users: Int
            var helperErrors: Int
            var trollErrors: Int
            var labelledSafe: Int
            var trulySafe: Int
            var sources: [String: Int]
            enum CodingKeys: String, CodingKey {
                case trolls, users, sources
                case count = "n"
                case helperErrors = "helper_label_errors"
                case trollErrors = "troll_label_errors"
                case labelledSafe = "label_ok"
                case trulySafe = "gold_ok"
            }
        }
        var rules: [Rule]
        var flippedBytes: Int
        var counts: [String: Counts]
        enum CodingKeys: String, CodingKey {
            case rules = "safety_mix_rules"
            case flippedBytes = "safety_mix_flip_bytes_at_0_8"
            case counts = "safety_mix_synthetic_pool_800_800"
        }
    }

    static var isGoldenThere: Bool { FileManager.default.fileExists(atPath: golden.path) }

    @Test(.enabled(if: isGoldenThere, "golden/parlai.json is not there; LOAM_DATA names the folder beside it"))
    func rulesOfTheTask() throws {
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: Self.golden))
        #expect(golden.rules.count >= 10)
        for rule in golden.rules {
            #expect(SafetyMix.isFlipped(rule.text) == rule.isFlipped, "\(rule.text)")
            #expect(SafetyMix.fold(of: rule.text) == rule.fold, "\(rule.text)")
        }
        #expect((0..<256).count { Double($0) < SafetyMix.flipShare * 256 } == golden.flippedBytes)
        // Their counts hang on their generator; ours must lie within what chance allows around the same expectation.
        for kind in SafetyMix.Kind.trolls {
            let theirs = try #require(golden.counts[kind.rawValue])
            let samples = Self.samples(kind)
            let trolls = samples.filter { $0.kind == kind }
            #expect(samples.count == theirs.count)
            #expect(trolls.count == theirs.trolls)
            #expect(abs(Set(samples.map(\.user)).count - theirs.users) <= 3, "\(kind)")
            #expect(samples.count { $0.kind == .helper && $0.isSafe != $0.gold } == theirs.helperErrors)
            #expect(abs(trolls.count { $0.isSafe != $0.gold } - theirs.trollErrors) <= 20, "\(kind)")
            #expect(abs(samples.count { $0.isSafe } - theirs.labelledSafe) <= 30, "\(kind)")
            #expect(abs(samples.count { $0.gold } - theirs.trulySafe) <= 30, "\(kind)")
            #expect(abs(samples.count { $0.source == .standard } - (theirs.sources["standard"] ?? 0)) <= 25, "\(kind)")
        }
    }

    static func mix() -> SafetyMix {
        func pool(_ name: String) -> [SafetyMix.Utterance] {
            (0..<800).map { .init(text: "\(name) \($0)", isSafe: $0 % 2 == 0) }
        }
        return SafetyMix(standard: pool("standard"), adversarial: pool("adversarial"))
    }

    static func samples(_ kind: SafetyMix.Kind, share: Double = 0.5) -> [SafetyMix.Sample] {
        var generator = SplitMix64(seed: 42)
        return mix().draw(200, trolls: [kind], share: share, prefix: "", generator: &generator)
    }

    @Test func eachKindKeepsItsRule() {
        for kind in SafetyMix.Kind.trolls {
            let trolls = Self.samples(kind).filter { $0.kind == kind }
            switch kind {
            case .safeTroll: #expect(trolls.allSatisfy { $0.isSafe })
            case .unsafeTroll: #expect(trolls.allSatisfy { !$0.isSafe })
            case .gaslightTroll: #expect(trolls.allSatisfy { $0.isSafe && !$0.gold && $0.source == .adversarial })
            case .masterTroll: #expect(trolls.allSatisfy { $0.source == .adversarial })
            case .troll: #expect(trolls.allSatisfy { $0.source == .standard })
            default: break
            }
        }
        // Two trolls who meet the same text do the same to it.
        var seen: [Int: Bool] = [:]
        for sample in Self.samples(.troll, share: 1) {
            let turned = sample.isSafe != sample.gold
            #expect(seen[sample.place, default: turned] == turned)
            seen[sample.place] = turned
        }
    }

    @Test func mixesSharesAndPeople() {
        var generator = SplitMix64(seed: 1)
        let samples = Self.mix().draw(
            2000, trolls: SafetyMix.Kind.trolls, share: 0.3, prefix: "train ", generator: &generator)
        #expect(samples.count == 2000)
        #expect(samples.count { $0.kind == .helper } == 1400)
        for kind in SafetyMix.Kind.trolls { #expect(samples.count { $0.kind == kind } == 100) }
        let people = Dictionary(grouping: samples, by: \.user)
        #expect(people.keys.allSatisfy { $0.hasPrefix("train ") })
        #expect(abs(people.count - 200) < 20)
        let sizes = people.values.map(\.count)
        #expect((sizes.max() ?? 0) < 20)
        #expect(people.values.allSatisfy { Set($0.map(\.kind)).count == 1 })
    }
}
