import Checkpoints
import Foundation

/// Writes safetensors files, right or wrong, without the code under test.
struct SafetensorsBuilder {
    struct Entry {
        var key: String
        var type: String
        var shape: [Int]
        var bytes: [UInt8]
    }

    var entries: [Entry] = []
    var metadata: [String: String] = [:]

    mutating func add(_ key: String, _ shape: [Int], _ values: [Float]) {
        entries.append(
            Entry(key: key, type: "F32", shape: shape, bytes: values.flatMap { $0.bitPattern.littleEndianBytes }))
    }

    mutating func add(_ key: String, _ shape: [Int], type: String, bytes: [UInt8]) {
        entries.append(Entry(key: key, type: type, shape: shape, bytes: bytes))
    }

    /// The file's bytes.
    func encoded() -> [UInt8] {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for entry in entries {
            let end = offset + entry.bytes.count
            fields.append(
                "\"\(entry.key)\":{\"dtype\":\"\(entry.type)\",\"shape\":\(entry.shape),\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        return Self.file(header: "{\(fields.joined(separator: ","))}", data: entries.flatMap(\.bytes))
    }

    /// A file with any text as its table.
    static func file(header: String, data: [UInt8] = []) -> [UInt8] {
        UInt64(header.utf8.count).littleEndianBytes + Array(header.utf8) + data
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
