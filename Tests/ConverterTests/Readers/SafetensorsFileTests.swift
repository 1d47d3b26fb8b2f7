import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try SafetensorsFile(path: folder.write(bytes, to: "model.safetensors"), name: "unet/model.safetensors")
    }

    private func values(_ file: SafetensorsFile, _ key: String, _ range: Range<Int>? = nil) throws -> [Float] {
        let tensor = try file.open(key)
        let range = range ?? 0..<tensor.shape.count
        return try [Float](unsafeUninitializedCapacity: range.count) { buffer, count in
            try tensor.read(range, into: UnsafeMutableBufferPointer(rebasing: buffer[..<range.count]))
            count = range.count
        }
    }

    @Test func readsEveryWeightType() throws {
        var builder = SafetensorsBuilder()
        builder.metadata = ["format": "pt"]
        builder.add("a", [2, 3], [1, -2, 0.5, 4, 5, -6.25])
        builder.add("half", [3], type: "F16", bytes: [0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00])
        builder.add("brain", [2], type: "BF16", bytes: [0x80, 0x3F, 0x49, 0xC0])
        builder.add(
            "double", [1, 2], type: "F64",
            bytes: [1.5, -1e-3].flatMap { (x: Double) in x.bitPattern.littleEndianBytes })
        builder.add("scalar", [], [7])
        builder.add("empty", [0, 4], [])
        let file = try open(builder.encoded())

        #expect(file.metadata == ["format": "pt"])
        #expect(file.tensors.count == 6)
        #expect(file.tensors["a"] == TensorHeader(type: .float32, shape: [2, 3]))
        #expect(try values(file, "a") == [1, -2, 0.5, 4, 5, -6.25])
        #expect(try values(file, "a", 2..<4) == [0.5, 4])
        #expect(try values(file, "half") == [1, -2, 0x1p-24])
        #expect(try values(file, "brain") == [1, -3.140625])
        #expect(try values(file, "double") == [1.5, -1e-3])
        #expect(try values(file, "scalar") == [7])
        #expect(try values(file, "empty") == [])
    }

    @Test func readsMoreThanOneBuffer() throws {
        let expected = (0..<150_000).map { Float($0) }
        var builder = SafetensorsBuilder()
        builder.add("first", [1], [-1])
        builder.add("long", [150_000], expected)
        let file = try open(builder.encoded())
        #expect(try values(file, "long") == expected)
        #expect(try values(file, "long", 70_000..<140_001) == Array(expected[70_000..<140_001]))
    }

    @Test func recognizesTypesWithoutWeights() throws {
        var builder = SafetensorsBuilder()
        let types: [(String, ElementType)] = [
            ("I64", .int64), ("I32", .int32), ("I16", .int16), ("I8", .int8), ("U8", .uint8), ("BOOL", .boolean),
            ("U16", .uint16), ("U32", .uint32), ("U64", .uint64), ("F8_E4M3", .float8e4m3), ("F8_E5M2", .float8e5m2),
        ]
        for (name, type) in types {
            builder.add(name, [2], type: name, bytes: Array(repeating: 0, count: 2 * type.byteCount))
        }
        let file = try open(builder.encoded())
        for (name, type) in types {
            #expect(file.tensors[name]?.type == type)
            #expect(
                throws: CheckpointError.unsupportedType(
                    location: "unet/model.safetensors: tensor '\(name)'", type: type)
            ) { _ = try file.open(name) }
        }
    }

    @Test func readsEscapesInKeys() throws {
        let header = #"{"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}}   "#
        let file = try open(SafetensorsBuilder.file(header: header, data: [0, 0, 0x80, 0x3F]))
        #expect(file.tensors.keys.first == "a\"\\/\u{8}\u{c}\n\r\té😀")
    }

    @Test func namesAnAbsentKey() throws {
        let file = try open(SafetensorsBuilder().encoded())
        #expect(throws: CheckpointError.noSuchTensor(file: "unet/model.safetensors", tensor: "x")) {
            _ = try file.open("x")
        }
    }

    private static func entry(_ fields: String) -> String { "{\"w\":{\(fields)}}" }

    @Test(arguments: [
        ("", "'{'"), ("{", "no"), ("[]", "'{'"), ("{}x", "after the table"), ("{\"a\":1}", "'{'"),
        ("{\"a\u{1}\":{}}", "control character"), ("{\"\\ud800\":{}}", "surrogate"), ("{\"\\q\":{}}", "escape"),
        ("{\"\\u12\":{}}", "escape"), ("{\"a", "without an end"), ("{\"__metadata__\":{\"a\":1}}", "'\"'"),
        (entry("\"dtype\":\"F32\",\"shape\":[1]"), "lacks data_offsets"),
        (entry("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1"), "unknown or repeated field 'x'"),
        (entry("\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"), "repeated field 'dtype'"),
        (entry("\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]"), "unknown type 'F31'"),
        (entry("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]"), "whole number"),
        (entry("\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]"), "']'"),
        (entry("\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]"), "too large"),
        (entry("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]"), "impossible shape"),
        (entry("\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,4]"), "impossible shape"),
        // Nothing in all, and yet more than can be counted without its first axis.
        (entry("\"dtype\":\"F32\",\"shape\":[0,4294967296,4294967296],\"data_offsets\":[0,0]"), "impossible shape"),
        (entry("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]"), "two data_offsets"),
        (entry("\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]"), "should lie at"),
        (entry("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), "should lie at bytes 0–8 of 4"),
        (entry("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"), "needs 8"),
        ("{}", "4 bytes that belong to no tensor"),
        (entry("\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]"), "hole"),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
            "tensor 'b': overlaps"
        ),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
            "tensor 'a': appears twice"
        ),
    ])
    func refusesWrongTables(header: String, reason: String) throws {
        let error = try #require(throws: CheckpointError.self) {
            _ = try open(SafetensorsBuilder.file(header: header, data: [1, 2, 3, 4]))
        }
        #expect(error.description.hasPrefix("unet/model.safetensors: "))
        #expect(error.description.contains(reason), "\(error)")
    }

    @Test func refusesTablesLongerThanTheFile() throws {
        for length: UInt64 in [3, 100, 1 << 40, .max] {
            let error = try #require(throws: CheckpointError.self) {
                _ = try open(length.littleEndianBytes + [0x7B, 0x7D])
            }
            #expect(error.description.contains("claims a table of \(length) bytes"))
        }
        for count in 0..<8 {
            #expect(throws: CheckpointError.self) { _ = try open(Array(repeating: 0, count: count)) }
        }
    }

    @Test func refusesWhatIsNoFile() throws {
        #expect(throws: CheckpointError.unreadable(path: "m", reason: "it is a folder")) {
            _ = try SafetensorsFile(path: folder.path, name: "m")
        }
        #expect(throws: CheckpointError.unreadable(path: "m", reason: "No such file or directory")) {
            _ = try SafetensorsFile(path: folder.path + "/absent", name: "m")
        }
    }

    @Test func noticesAFileThatShrinks() throws {
        var builder = SafetensorsBuilder()
        builder.add("w", [4], [1, 2, 3, 4])
        let bytes = builder.encoded()
        let file = try open(bytes)
        // In place: a new file under the name would leave the open one whole.
        let handle = try #require(FileHandle(forWritingAtPath: folder.path + "/model.safetensors"))
        try handle.truncate(atOffset: UInt64(bytes.count - 5))
        #expect(
            throws: CheckpointError.malformed(file: "unet/model.safetensors", reason: "ends at byte \(bytes.count - 5)")
        ) {
            _ = try values(file, "w")
        }
    }
}
