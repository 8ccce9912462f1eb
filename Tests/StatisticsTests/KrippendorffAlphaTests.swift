import Statistics
import Testing

@Suite("Krippendorff's alpha") struct KrippendorffAlphaTests {
    @Test("matches the krippendorff package on ratings with gaps")
    func oracle() throws {
        for one in try Fixture.load().agreement {
            let units = one.units.map { $0.compactMap(\.self) }
            let found = [
                KrippendorffAlpha.alpha(units, distance: .nominal), KrippendorffAlpha.alpha(units, distance: .ordinal),
                KrippendorffAlpha.alpha(units, distance: .interval),
            ].compactMap(\.self)
            #expect(near(found, [one.nominal, one.ordinal, one.interval], 1e-9))
        }
    }

    @Test("by hand: two raters, four units, one discord")
    func byHand() throws {
        // o(1,2) = o(2,1) = 1, n = (5, 3): 1 − 7·2 / (2·15) = 16/30.
        let alpha = KrippendorffAlpha.alpha([[1, 1], [1, 1], [2, 2], [1, 2]], distance: .nominal)
        #expect(near(try #require(alpha), 16.0 / 30, 1e-12))
    }

    @Test("what is not a number is no rating")
    func notANumber() throws {
        // The units by hand above, with holes, and one that has a single rating left.
        let units: [[Double]] = [[1, 1], [.nan, 1, 1], [2, 2, .nan, .nan], [1, 2], [.nan, 2]]
        let alpha = KrippendorffAlpha.alpha(units, distance: .nominal)
        #expect(near(try #require(alpha), 16.0 / 30, 1e-12))
    }

    @Test("nothing to compare has no value")
    func undefined() {
        #expect(KrippendorffAlpha.alpha([[1], [2]], distance: .nominal) == nil)
        #expect(KrippendorffAlpha.alpha([[1, 1], [1, 1]], distance: .nominal) == nil)
        #expect(throws: StatisticsError.self) { try KrippendorffAlpha.interval([[1], [2]], distance: .nominal) }
    }
}
