import Deidentification
import Foundation
import Generation
import Torch

extension PlaceOptions {
    /// What finds names with the encoder.
    /// - Parameter head: another head than the one that ships.
    func nameTagger(head: String? = nil) throws -> NameTagger {
        let encoder = try SentenceEncoder(folder: URL(filePath: encoderFolder), dtype: Device.cpu.matrixType)
        let head = try head.map { try NameHead(contentsOf: URL(filePath: $0)) } ?? NameHead.shipped()
        return try NameTagger(head: head, encoder: encoder)
    }
}
