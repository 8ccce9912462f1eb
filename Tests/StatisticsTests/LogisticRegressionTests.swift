import Foundation
import Statistics
import Testing

@Suite struct LogisticRegressionTests {
    let tight = LogisticRegression.Options(l2: 1, tolerance: 1e-10)

    @Test func matchesScikitLearn() throws {
        let data = try Fixture.load().logistic
        let x = try Matrix(data.x)
        func check(_ model: LogisticRegression, _ expected: Fixture.Model) {
            #expect(model.fit.converged)
            #expect(near(model.coefficients, expected.coefficients, 1e-6))
            #expect(near(model.bias, expected.bias, 1e-6))
        }
        check(try LogisticRegression(x, labels: data.y, options: tight), data.plain)
        var options = tight
        options.l2 = 0.1
        check(try LogisticRegression(x, labels: data.y, weights: data.w, options: options), data.weighted)
        check(try LogisticRegression(x, labels: data.soft, options: tight), data.softModel)
        options = tight
        options.standardise = true
        check(try LogisticRegression(x, labels: data.y, options: options), data.standardised)
    }

    @Test func sparseAndDenseAgree() throws {
        let data = try Fixture.load().logistic
        let thinned = data.x.map { row in row.map { abs($0) < 1 ? 0 : $0 } }
        let dense = try Matrix(thinned)
        let sparse = try SparseMatrix(
            columns: 5,
            rows: thinned.map { row in row.enumerated().filter { $0.element != 0 }.map { ($0.offset, $0.element) } })
        #expect(sparse.entryCount < 250)
        for standardise in [false, true] {
            let options = LogisticRegression.Options(l2: 1, standardise: standardise, tolerance: 1e-10)
            let a = try LogisticRegression(dense, labels: data.y, weights: data.w, options: options)
            let b = try LogisticRegression(sparse, labels: data.y, weights: data.w, options: options)
            #expect(near(a.coefficients, b.coefficients, 1e-7))
            #expect(near(try a.predict(dense), try b.predict(sparse), 1e-7))
        }
        let picked = [3, 0, 59]
        #expect(
            near(
                sparse.selecting(rows: picked).times([1, 2, 3, 4, 5]),
                dense.selecting(rows: picked).times([1, 2, 3, 4, 5]), 1e-6))
    }

    @Test func zeroWeightIsAbsence() throws {
        let data = try Fixture.load().logistic
        let x = try Matrix(data.x)
        let half = Array(0..<30)
        let a = try LogisticRegression(
            x.selecting(rows: half), labels: half.map { data.y[$0] }, options: tight)
        let b = try LogisticRegression(
            x, labels: data.y, weights: (0..<60).map { $0 < 30 ? 1 : 0 }, options: tight)
        #expect(near(a.coefficients, b.coefficients, 1e-6))
    }

    @Test func oneClassAndSeparableDataEndFinite() throws {
        let x = try Matrix([[0], [1], [2], [3]])
        let one = try LogisticRegression(x, labels: [1, 1, 1, 1])
        #expect(try one.predict(x).allSatisfy { $0 > 0.99 })
        let separable = try LogisticRegression(x, labels: [0, 0, 1, 1], options: .init(l2: 0))
        #expect(try separable.predict(x).map { $0 > 0.5 } == [false, false, true, true])
        #expect(separable.coefficients[0].isFinite)
        let constant = try LogisticRegression(
            Matrix([[4], [4], [4], [4]]), labels: [0, 0, 0, 1], options: .init(standardise: true, tolerance: 1e-9))
        #expect(near(try constant.predict(Matrix([[4]]))[0], 0.25, 1e-6))
        let noFeatures = try LogisticRegression(
            Matrix(rows: 4, columns: 0, values: []), labels: [0, 1, 1, 1], options: .init(tolerance: 1e-9))
        #expect(near(LogisticRegression.sigmoid(noFeatures.bias), 0.75, 1e-6))
    }

    @Test func badInputIsNamed() throws {
        let x = try Matrix([[1, 2], [3, .nan]])
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message { _ = try LogisticRegression(x, labels: [0, 1]) }.contains("example 1"))
        let fine = try Matrix([[1, 2], [3, 4]])
        #expect(message { _ = try LogisticRegression(fine, labels: [0]) }.contains("1 labels"))
        #expect(message { _ = try LogisticRegression(fine, labels: [0, 1.5]) }.contains("label 1.5 of example 1"))
        #expect(message { _ = try LogisticRegression(fine, labels: [0, .nan]) }.contains("example 1"))
        #expect(message { _ = try LogisticRegression(fine, labels: [0, 1], weights: [-1, 1]) }.contains("weight -1"))
        #expect(message { _ = try LogisticRegression(fine, labels: [0, 1], weights: [0, 0]) }.contains("all weights"))
        #expect(
            message { _ = try LogisticRegression(Matrix(rows: 0, columns: 2, values: []), labels: []) }
                .contains("no examples"))
        #expect(message { _ = try Matrix([[1], [1, 2]]) }.contains("row 1"))
        #expect(message { _ = try Matrix(rows: 2, columns: 2, values: [1]) }.contains("2 × 2"))
        #expect(
            message { _ = try LogisticRegression(fine, labels: [0, 1]).predict(Matrix([[1]])) }.contains("1 columns"))
        #expect(message { _ = try SparseMatrix(columns: 2, rows: [[(2, 1)]]) }.contains("row 0"))
    }
}
