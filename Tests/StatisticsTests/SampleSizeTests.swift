import Statistics
import Testing

@Suite("How much data a question needs") struct SampleSizeTests {
    @Test("as the formula gives by hand")
    func byHand() {
        // (1.959964·.5 + .841621·√(.6·.4))² / .1² = 193.85
        #expect(SampleSize.votes(winRate: 0.6) == 194)
        #expect(SampleSize.votes(winRate: 0.4) == 194)
        // Rates of .1 and .2 need 199 people per group at the usual level and power.
        #expect(SampleSize.perGroup(0.1, 0.2) == 199)
        #expect(SampleSize.votes(winRate: 0.5) == nil && SampleSize.perGroup(0.3, 0.3) == nil)
        // Six of six is the fewest that the exact test calls significant (p = .03125).
        #expect(SampleSize.votes(winRate: 1) == 6)
        // The formula gives (.979982 + .841621·.031607)² / .249 = 4.07; not even five of five are enough (p = .0625).
        #expect(SampleSize.votes(winRate: 0.999) == 6)
    }
}
