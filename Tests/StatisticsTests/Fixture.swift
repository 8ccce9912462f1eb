import Foundation

/// Values computed with scikit-learn and scipy by `Scripts/fixtures/statistics_oracle.py`.
struct Fixture: Decodable {
    struct Model: Decodable {
        var coefficients: [Double]
        var bias: Double
    }
    struct Logistic: Decodable {
        var x: [[Float]]
        var y: [Double]
        var w: [Double]
        var soft: [Double]
        var plain: Model
        var weighted: Model
        var softModel: Model
        var standardised: Model

        enum CodingKeys: String, CodingKey {
            case x, y, w, soft, plain, standardised
            case weighted = "weighted_c10"
            case softModel = "soft_c1"
        }
    }
    struct Words: Decodable {
        var texts: [String]
        var terms: [String]
        var rows: [[String: Double]]
    }
    struct Curve: Decodable {
        var scores: [Double]
        var labels: [Int]
        var auc: Double
        var error: Double

        enum CodingKeys: String, CodingKey {
            case scores, labels, auc
            case error = "delong_error"
        }
    }
    struct Calibrations: Decodable {
        var platt: [Double]
        var isotonic: [Double]
        var grid: [Double]
    }
    struct Agreement: Decodable {
        var units: [[Double?]]
        var nominal: Double
        var ordinal: Double
        var interval: Double
    }
    var logistic: Logistic
    var tfidf: Words
    var roc: Curve
    var calibration: Calibrations
    var wilson: [[Double]]
    var binomial: [[Double]]
    var quantiles: [[Double]]
    var agreement: [Agreement]

    enum CodingKeys: String, CodingKey {
        case logistic, tfidf, roc, calibration, wilson, binomial, agreement
        case quantiles = "normal_quantile"
    }

    static func load() throws -> Fixture {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/statistics.json")
        return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }
}

func near(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool { abs(a - b) <= tolerance }
func near(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { near($0, $1, tolerance) }
}
