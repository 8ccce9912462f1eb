import Testing
import Torch

@testable import LanguageModels

@Suite("Dropout")
struct DropoutTests {
    @Test("the places of an adapter and those of the layers beside it drop apart under one seed")
    func placesAreApart() throws {
        let ones = try Tensor.ones([64])
        let layers = ResidualDropout()
        (layers.share, layers.seed.value) = (0.5, 7)
        let seed = Dropout.Seed()
        seed.value = 7
        var found = try (0..<9).map { try Dropout(share: 0.5, seed: seed, number: UInt64($0))(ones).floats() }
        found.append(try layers.embedded(ones).floats())
        for layer in 0..<4 {
            found.append(try layers.mixed(ones, layer: layer).floats())
            found.append(try layers.fed(ones, layer: layer).floats())
        }
        #expect(Set(found).count == 18)
        // What stays makes up for what goes.
        #expect(found.allSatisfy { $0.allSatisfy { $0 == 0 || $0 == 2 } })
    }
}
