import Files
import FoundationEssentials
import Glibc
import Tensors

/// Writes float32 tensors as a safetensors file. <https://github.com/huggingface/safetensors#format>
package enum SafetensorsWriter {
    /// The file appears when it is complete.
    /// - Throws: `CheckpointError.unwritable`.
    package static func write(
        _ tensors: [(name: String, shape: Shape, values: [Float])], metadata: [String: String] = [:], to path: String
    ) throws {
        var table: [String: Entry] = metadata.isEmpty ? [:] : ["__metadata__": .metadata(metadata)]
        var end = 0
        for tensor in tensors {
            let begin = end
            end += tensor.values.count * MemoryLayout<Float>.size
            table[tensor.name] = .tensor(shape: tensor.shape.extents, offsets: [begin, end])
        }
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            var header = try encoder.encode(table)
            // Data starts at a multiple of 8, so that it can be mapped.
            header.append(contentsOf: Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
            var file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
            file.append(header)
            for tensor in tensors { tensor.values.withUnsafeBytes { file.append(contentsOf: $0) } }
            let output = try AtomicFile(path: path)
            try file.withUnsafeBytes { try output.write($0, at: 0) }
            try output.commit()
        } catch let error as FileError {
            throw CheckpointError.unwritable(path: path, reason: error.reason)
        } catch {
            throw CheckpointError.unwritable(path: path, reason: "\(error)")
        }
    }

    /// Finds out before any work is done whether a file could be written to `path`.
    /// - Throws: `CheckpointError.unwritable`.
    package static func checkWritable(_ path: String) throws {
        do {
            try AtomicFile.check(path)
        } catch let error as FileError {
            throw CheckpointError.unwritable(path: path, reason: error.reason)
        }
    }

    private enum Entry: Encodable {
        case metadata([String: String])
        case tensor(shape: [Int], offsets: [Int])

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .metadata(let texts):
                try texts.encode(to: encoder)
            case .tensor(let shape, let offsets):
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode("F32", forKey: .dtype)
                try container.encode(shape, forKey: .shape)
                try container.encode(offsets, forKey: .offsets)
            }
        }
    }
}
