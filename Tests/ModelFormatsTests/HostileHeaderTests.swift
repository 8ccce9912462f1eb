import Foundation
import ModelFormats
import Testing

/// Headers that lie. Each must end in one clear error, never in a crash or a wrong range.
@Suite struct HostileHeaderTests {
    /// Reads a file made of a header and `buffer` zero bytes.
    func parse(_ json: String, buffer: Int, length: UInt64? = nil) throws -> SafeTensorsHeader {
        let head = Array(json.utf8)
        let count = withUnsafeBytes(of: (length ?? UInt64(head.count)).littleEndian) { Array($0) }
        let file = count + head + [UInt8](repeating: 0, count: buffer)
        return try file.withUnsafeBytes { try SafeTensorsHeader($0, fileSize: file.count, file: "x") }
    }

    func tensor(_ name: String, _ from: Int, _ to: Int) -> String {
        #""\#(name)":{"dtype":"U8","shape":[\#(to - from)],"data_offsets":[\#(from),\#(to)]}"#
    }

    @Test func acceptsWhatIsLegal() throws {
        #expect(try parse("{}", buffer: 0).names.isEmpty)
        let padded = try parse("{\(tensor("b", 2, 4)),\(tensor("a", 0, 2)),\(tensor("none", 2, 2))}   ", buffer: 4)
        #expect(padded.names == ["a", "none", "b"])
        #expect(try parse(#"{"__metadata__":{}}"#, buffer: 0).metadata.isEmpty)
        let escaped = try parse(
            #"{"\u00e9\ud83c\udf31\/\b\f\n\r\t\"\\":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, buffer: 1)
        #expect(escaped.names == ["\u{E9}\u{1F331}/\u{8}\u{C}\n\r\t\"\\"])
    }

    @Test(arguments: [
        ("leaves a hole", #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2),
        (
            "overlaps",
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
            3
        ),
        (
            "overlaps",
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
            2
        ),
        ("take 2 bytes, the file holds 3", #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 3),
        ("take 2 bytes, the file holds 1", #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 1),
        (
            "\"a\" occurs twice",
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            2
        ),
        ("__metadata__ occurs twice", #"{"__metadata__":{},"__metadata__":{}}"#, 0),
        ("has \"a\" twice", #"{"__metadata__":{"a":"","a":""}}"#, 0),
        ("has \"dtype\" twice", #"{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1),
        ("unknown dtype", #"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#, 1),
        ("unknown field", #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}"#, 1),
        ("needs 8 bytes, has 4", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4),
        ("ends before it begins", #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#, 1),
        ("too large", #"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}"#, 4),
        ("too large", #"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0),
        ("number is too large", #"{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}}"#, 0),
        ("expected a whole number", #"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, 0),
        ("expected ']'", #"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1),
        ("expected ']'", #"{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}"#, 1),
        ("begins with 0", #"{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}"#, 1),
        ("more than 2", #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}"#, 1),
        ("lacks dtype", #"{"a":{"dtype":"U8","shape":[1]}}"#, 1),
        ("lacks dtype", #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, 1),
        ("expected '\"'", #"{"__metadata__":{"a":1}}"#, 0),
        ("something follows", "{} x", 0), ("something follows", "{}{}", 0), ("expected '{'", " {}", 0),
        ("expected '{'", "", 0), ("expected '{'", "[]", 0), ("expected", "{", 0), ("expected", "{\"a\"", 0),
        ("does not end", "{\"a", 0), ("does not end", #"{"a\"#, 0), ("unknown escape", #"{"\x":1}"#, 0),
        ("surrogate", #"{"\ud800":1}"#, 0), ("surrogate", #"{"\udc00":1}"#, 0), ("control", "{\"\u{1}\":1}", 0),
        ("does not end", #"{"\u12"#, 0), ("hexadecimal", #"{"\u12g4":1}"#, 0), ("surrogate", #"{"\ud800\u0041":1}"#, 0),
    ])
    func refuses(_ part: String, _ json: String, _ buffer: Int) {
        #expect { try parse(json, buffer: buffer) } throws: { error in
            guard let error = error as? ModelFormatsError else { return false }
            return error.code == .malformed && error.description.contains(part)
        }
    }

    @Test(arguments: [100_000_001, UInt64.max, 1 << 63, 3] as [UInt64])
    func refusesALengthThatIsTooLong(_ length: UInt64) {
        #expect(throws: ModelFormatsError.self) { try parse("{}", buffer: 0, length: length) }
    }

    @Test func refusesInvalidUTF8() {
        let file: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0] + Array("{\"".utf8) + [0xC0, 0x80] + Array("\":1}".utf8)
        #expect(throws: ModelFormatsError.self) {
            try file.withUnsafeBytes { try SafeTensorsHeader($0, fileSize: file.count, file: "x") }
        }
    }
}
