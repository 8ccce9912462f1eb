import Conversations
import Testing

@testable import Simulation

@Suite("Prompts of the simulated world")
struct PromptTests {
    @Test("splits do not overlap whatever the seed, and only tests speak of held-out things")
    func splits() throws {
        let world = try World()
        var seen: [World.Split: Set<[Turn]>] = [:]
        for split in World.Split.allCases {
            for seed: UInt64 in [1, 2] {
                let prompts = world.prompts(split: split, count: 60, seed: seed)
                #expect(prompts.count == 60)
                #expect(Set(prompts).count == 60)
                #expect(prompts.allSatisfy { $0.last?.sender == .human })
                seen[split, default: []].formUnion(prompts)
                let heldOut = prompts.count { world.isHeldOut($0) }
                if split == .test { #expect((8...40).contains(heldOut)) } else { #expect(heldOut == 0) }
            }
        }
        let train = seen[.train] ?? []
        let validation = seen[.validation] ?? []
        let test = seen[.test] ?? []
        #expect(train.isDisjoint(with: validation) && train.isDisjoint(with: test) && validation.isDisjoint(with: test))
    }

    @Test("the same seed gives the same prompts; held-out ones can be asked for alone")
    func seeded() throws {
        let world = try World()
        #expect(
            world.prompts(split: .train, count: 20, seed: 5) == world.prompts(split: .train, count: 20, seed: 5))
        let without = world.prompts(split: .test, count: 40, seed: 5, heldOut: false)
        #expect(without.allSatisfy { !world.isHeldOut($0) })
        let only = world.prompts(split: .test, count: 40, seed: 5, heldOut: true)
        #expect(only.count { world.isHeldOut($0) } > 20)
    }

    @Test("the world's bot answers as its scale of flaws says, the same way for the same seed")
    func bot() async throws {
        let world = try World()
        let judge = WorldJudge(world)
        let prompts = world.prompts(split: .train, count: 150, seed: 6, flawScale: 0)
        func share(_ scale: Double) async throws -> Double {
            let replies = try await WorldBot(world, flawScale: scale).replies(to: prompts, sampling: Sampling(seed: 3))
            let good = zip(prompts, replies).count { judge.verdict(on: $1.text, after: $0).isGood }
            return Double(good) / Double(prompts.count)
        }
        let flawless = try await share(0)
        let flawed = try await share(1)
        #expect(flawless > 0.98)
        #expect(flawed > 0.7 && flawed < 0.95)
        #expect(try await share(1) == flawed)
    }

    @Test("public names are the bot's and the towns', the held-out one too")
    func publicNames() {
        #expect(World.publicNames.first == World.botName && World.publicNames.count == 9)
        #expect(World.publicNames.contains("Corvale") && World.publicNames.contains("Dunfield"))
    }
}
