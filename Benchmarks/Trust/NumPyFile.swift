import Foundation
import Statistics

/// Reads what `loam embed --out` writes: a NumPy array of float32 with two dimensions.
enum NumPyFile {
    static func matrix(_ url: URL) throws -> Matrix {
        let data = try Data(contentsOf: url)
        let name = url.lastPathComponent
        guard data.count > 10, data.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw BenchmarkError("\(name) is no NumPy file")
        }
        let start = 10 + Int(data[8]) + Int(data[9]) << 8
        let header = String(decoding: data[10..<min(start, data.count)], as: UTF8.self)
        guard header.contains("'<f4'"), header.contains("'fortran_order': False"),
            let shape = header.firstMatch(of: /\((\d+), (\d+)\)/), let rows = Int(shape.1), let columns = Int(shape.2),
            data.count == start + 4 * rows * columns
        else { throw BenchmarkError("\(name) is no whole array of float32 with two dimensions") }
        let values = data[start...].withUnsafeBytes { bytes in
            (0..<rows * columns).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        return try Matrix(rows: rows, columns: columns, values: values)
    }
}
