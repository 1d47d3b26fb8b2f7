import CZstd
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// Files of the authors' layout: their keys and shapes from fixtures, their numbers from the keys.
struct AuthorsFixture {
    /// A tensor's type and shape, or the key whose storage it shares.
    struct Entry: Decodable {
        let type: String
        let extents: [Int]
        let shared: String?

        private init(type: String, extents: [Int], shared: String?) {
            (self.type, self.extents, self.shared) = (type, extents, shared)
        }

        /// With so many times as many inputs and outputs.
        func wider(by factor: Int) -> Entry {
            Entry(type: type, extents: extents.prefix(2).map { $0 * factor } + extents.dropFirst(2), shared: shared)
        }

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            type = try container.decode(String.self)
            if type == "shared" {
                (extents, shared) = ([], try container.decode(String.self))
            } else {
                (extents, shared) = (try container.decode([Int].self), nil)
            }
        }
    }

    /// Models that were built small out of the authors' modules.
    static let names = [
        "audioldm2-full", "audioldm2-full-large-1150k", "audioldm2-music-665k", "audioldm2-speech-gigaspeech",
        "audioldm2-speech-ljspeech", "audioldm_16k_crossattn_t5", "audioldm_48k", "audioldm-s-full", "audioldm-m-full",
        "audioldm-l-full",
    ]

    /// Models whose keys are known at full size.
    static let publishedNames = Array(names.prefix(7))

    let keys: [String: Entry]

    init(_ name: String) throws {
        keys = try Self.lists("keys.json.zst")[name] ?? [:]
    }

    /// A tensor's numbers, or some rows of it.
    func numbers(_ key: String, from row: Int = 0, count: Int? = nil) throws -> [Float] {
        let entry = try #require(keys[key])
        let numbers = Self.numbers(key, entry.extents)
        let first = row * entry.extents.dropFirst().reduce(1, *)
        return Array(numbers[first..<first + (count ?? numbers.count - first)])
    }

    /// The keys of a published file, at full size.
    static func published(_ name: String) throws -> [String: Entry] {
        try lists("published-keys.json.zst")[name] ?? [:]
    }

    /// Key lists by model.
    private static func lists(_ file: String) throws -> [String: [String: Entry]] {
        try JSONDecoder().decode([String: [String: Entry]].self, from: contents(of: file))
    }

    /// A file of the fixture, decompressed.
    static func contents(of file: String) throws -> Data {
        let frame = try Data(contentsOf: Fixtures.folder("Authors").appendingPathComponent(file))
        let size = frame.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        guard size < 64 << 20 else { throw CocoaError(.fileReadCorruptFile) }
        let json = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            count = frame.withUnsafeBytes {
                ZSTD_decompress(buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
            }
        }
        return Data(json)
    }

    /// A `.pth` file with all floats in one storage, as views of it.
    func encoded() -> [UInt8] {
        var pickle = PickleBuilder()
        var floats: [Float] = []
        var places: [String: (offset: Int, entry: Entry)] = [:]
        let sorted = keys.sorted { $0.key < $1.key }
        for (key, entry) in sorted where entry.type == "float32" {
            places[key] = (floats.count, entry)
            floats += Self.numbers(key, entry.extents)
        }
        pickle.op("}")
        pickle.text("state_dict")
        pickle.op("}")
        for (key, entry) in sorted {
            pickle.text(key)
            if let (offset, view) = places[entry.shared ?? key] {
                pickle.tensor(
                    view.extents, strides: Self.strides(view.extents), offset: offset, count: floats.count)
            } else {
                let isLong = entry.type == "int64"
                pickle.tensor(
                    entry.extents, strides: Self.strides(entry.extents), count: 1000, key: isLong ? "1" : "2",
                    type: isLong ? "LongStorage" : "IntStorage")
            }
            pickle.op("s")
        }
        pickle.op("s")
        pickle.text("epoch")
        pickle.int(3)
        pickle.op("s")
        pickle.op(".")
        var file = ZipBuilder.checkpoint(pickle.bytes, storage: floats.withUnsafeBytes { Array($0) })
        file.records.append(.init(name: "archive/data/1", bytes: Array(repeating: 0, count: 8000)))
        file.records.append(.init(name: "archive/data/2", bytes: Array(repeating: 0, count: 4000)))
        return file.encoded()
    }

    private static func strides(_ extents: [Int]) -> [Int] {
        extents.indices.map { extents[($0 + 1)...].reduce(1, *) }
    }

    /// As the script that made the fixtures computes them.
    static func numbers(_ key: String, _ extents: [Int]) -> [Float] {
        let seed = key.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var generator = SplitMix(seed: seed)
        let scale = (3 / Double(extents.dropFirst().reduce(1, *))).squareRoot()
        let isNorm = key.hasSuffix("weight") || key.hasSuffix("gamma")
        return (0..<extents.reduce(1, *)).map { _ in
            let u = Double(generator.next() >> 40) / 0x1p23 - 1
            return switch extents.count {
            case 2...: Float(u * scale)
            case _ where isNorm: Float(1 + 0.1 * u)
            case 1: Float(0.1 * u)
            default: 0.41
            }
        }
    }
}

/// A source that knows shapes, and no numbers but 0.41.
struct ShapeSource: CheckpointSource {
    let name: String
    let tensors: [String: TensorHeader]

    init(_ keys: [String: AuthorsFixture.Entry]) {
        let types: [String: ElementType] = ["int64": .int64, "int32": .int32]
        tensors = keys.mapValues { TensorHeader(type: types[$0.type] ?? .float32, shape: Shape($0.extents)) }
        name = "published.pth"
    }

    init(_ shapes: [String: Shape], name: String) {
        tensors = shapes.mapValues { TensorHeader(type: .float32, shape: $0) }
        self.name = name
    }

    func open(_ key: String) throws -> any SourceTensor {
        guard let header = tensors[key], header.shape.count == 1 else {
            throw CheckpointError.noSuchTensor(file: name, tensor: key)
        }
        return MemoryTensor(key: key, shape: header.shape, values: [0.41])
    }
}
