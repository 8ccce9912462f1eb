import LanguageModels
import Testing
import Torch

@testable import Generation

@Suite struct PrefixCacheTests {
    let model: LlamaModel

    init() throws {
        model = try RandomModel.make(layers: 1)
    }

    /// Keys and values of these tokens.
    func cache(_ ids: [Int]) throws -> KVCache {
        let cache = KVCache(layers: 1)
        _ = try model.hidden(
            Tensor(ids, shape: [1, ids.count]), positions: Tensor(Array(ids.indices), shape: [1, ids.count]),
            mask: .causal, cache: cache)
        return cache
    }

    func insert(_ ids: [Int], into prefixes: PrefixCache) throws { try prefixes.insert(ids, from: cache(ids)) }

    /// One layer, keys and values of two heads of eight floats.
    let bytesPerToken = 2 * 2 * 8 * 4

    @Test func theLongestBeginningIsFoundTokenByToken() throws {
        let prefixes = PrefixCache(capacity: 1 << 20)
        try insert([1, 2, 3, 4, 5], into: prefixes)
        #expect(prefixes.matchCount([1, 2, 3, 9]) == 3 && prefixes.matchCount([2]) == 0)
        // What is shared is kept once.
        try insert([1, 2, 3, 7, 8, 9], into: prefixes)
        #expect(prefixes.byteCount == 8 * bytesPerToken)
        #expect(prefixes.matchCount([1, 2, 3, 4, 5, 6]) == 5)
        #expect(prefixes.matchCount([1, 2, 3, 7, 8, 1]) == 5)
        // A beginning of what is there adds nothing, and nothing is taken apart for it.
        try insert([1, 2], into: prefixes)
        try insert([1, 2, 3, 7, 8, 9], into: prefixes)
        try insert([1, 2, 3, 7, 8, 9, 10], into: prefixes)
        #expect(prefixes.byteCount == 9 * bytesPerToken)
        prefixes.removeAll()
        #expect(prefixes.byteCount == 0 && prefixes.matchCount([1]) == 0)
    }

    @Test func whatIsFoundIsWhatWasComputed() throws {
        let prefixes = PrefixCache(capacity: 1 << 20)
        try insert([1, 2, 3, 4, 5], into: prefixes)
        try insert([1, 2, 6], into: prefixes)
        for prompt in [[1, 2, 3, 4, 9], [1, 2, 6, 1], [1, 2, 3, 4, 5], [1, 2, 6], [1, 7], [8]] {
            let begun = KVCache(layers: 1)
            let found = try prefixes.begin(begun, prompt: prompt)
            #expect(found == min(prefixes.matchCount(prompt), prompt.count - 1) && begun.length == found)
            let rest = Array(prompt[found...])
            let continued = try model.hidden(
                Tensor(rest, shape: [1, rest.count]),
                positions: Tensor(Array(found..<prompt.count), shape: [1, rest.count]), mask: .causal, cache: begun)
            let whole = try model.hidden(
                Tensor(prompt, shape: [1, prompt.count]),
                positions: Tensor(Array(prompt.indices), shape: [1, prompt.count]), mask: .causal, cache: nil)
            let expected = try whole.narrow(dim: 1, start: found, length: rest.count).doubles()
            for (ours, theirs) in zip(try continued.doubles(), expected) { #expect(abs(ours - theirs) < 1e-5) }
        }
        #expect(prefixes.askedTokens == 20 && prefixes.foundTokens == 14)
    }

    @Test func theLeastRecentlyUsedGoesFirstAndTheCapHolds() throws {
        let prefixes = PrefixCache(capacity: 10 * bytesPerToken)
        try insert([1, 2, 3, 4], into: prefixes)
        try insert([5, 6, 7, 8], into: prefixes)
        // Used again, so the other one is older now.
        _ = try prefixes.begin(KVCache(layers: 1), prompt: [1, 2, 3, 4, 5])
        try insert([9, 10, 11, 12], into: prefixes)
        #expect(prefixes.byteCount == 8 * bytesPerToken)
        #expect(prefixes.matchCount([1, 2, 3, 4]) == 4 && prefixes.matchCount([5, 6]) == 0)
        // Leaves go before what they stand on.
        try insert([1, 2, 20, 21], into: prefixes)
        #expect(prefixes.matchCount([1, 2, 20, 21]) == 4 && prefixes.byteCount <= 10 * bytesPerToken)
        try insert([1, 2, 30, 31, 32], into: prefixes)
        #expect(prefixes.matchCount([1, 2, 30, 31, 32]) == 5 && prefixes.byteCount <= 10 * bytesPerToken)
        // More than fits at all is not kept, and drives nothing out.
        let before = prefixes.byteCount
        try insert(Array(40..<51), into: prefixes)
        #expect(prefixes.matchCount([40]) == 0 && prefixes.byteCount == before)
        let none = PrefixCache(capacity: 0)
        try insert([1, 2], into: none)
        #expect(none.byteCount == 0)
    }

    /// Against the plain meaning: of prompts that share nothing, the last that were used are there. Beginnings that several share
    /// outlive whatever stands on them.
    @Test func whatGoesIsWhatAListByUseWouldLetGo() throws {
        let prefixes = PrefixCache(capacity: 12 * bytesPerToken)
        var state: UInt64 = 5
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var byUse: [Int] = []
        for _ in 0..<200 {
            let prompt = next(8)
            if next(2) == 0 {
                try insert([prompt, 20, 21], into: prefixes)
            } else {
                let found = try prefixes.begin(KVCache(layers: 1), prompt: [prompt, 20, 21, 9])
                guard byUse.contains(prompt) else {
                    #expect(found == 0)
                    continue
                }
                #expect(found == 3)
            }
            byUse.removeAll { $0 == prompt }
            byUse.append(prompt)
            byUse = byUse.suffix(4)
            for other in 0..<8 { #expect(prefixes.matchCount([other, 20, 21]) == (byUse.contains(other) ? 3 : 0)) }
        }
        prefixes.removeAll()
        for last in 0..<40 {
            try insert([1, 2, 3, 4, 10 + last, 5 + next(3)], into: prefixes)
            #expect(prefixes.matchCount([1, 2, 3, 4]) == 4 && prefixes.matchCount([1, 2, 3, 4, 10 + last]) == 5)
            #expect(prefixes.byteCount == min(12, 4 + 2 * (last + 1)) * bytesPerToken)
        }
    }

    /// Against the plain meaning: the longest beginning shared with anything inserted, as long as nothing has to go.
    @Test func agreesWithAListOfEverything() throws {
        let prefixes = PrefixCache(capacity: 1 << 24)
        var state: UInt64 = 3
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var kept: [[Int]] = []
        for _ in 0..<80 {
            let ids = (0..<(1 + next(8))).map { _ in next(3) }
            let expected = kept.map { zip($0, ids).prefix { $0 == $1 }.count }.max() ?? 0
            #expect(prefixes.matchCount(ids) == expected)
            try insert(ids, into: prefixes)
            kept.append(ids)
        }
        let distinct = Set(kept.flatMap { ids in (1...ids.count).map { Array(ids.prefix($0)) } }).count
        #expect(prefixes.byteCount == distinct * bytesPerToken)
    }
}
