import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct TorchFileTests {
    private static let files = [
        "zip", "protocol1", "protocol4", "protocol5", "trainer", "legacy", "legacy-trainer", "cuda",
        // What weights_only takes beside the state, and objects of trainers that it does not.
        "permitted", "legacy-permitted", "objects", "objects4", "defaultdict",
    ]
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func fixture(_ file: String) -> String { Fixtures.folder("Torch").appendingPathComponent(file).path }

    private struct Header: Decodable {
        let type: String
        let extents: [Int]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            type = try container.decode(String.self)
            extents = try container.decode([Int].self)
        }
    }

    /// Shared storages, views of every kind, all number types: as PyTorch reads them itself.
    @Test(arguments: files) func readsWhatPyTorchWrites(name: String) throws {
        let file = try TorchFile(path: Self.fixture("\(name).pth"), name: "\(name).pth")
        let expected = try SafetensorsFile(path: Self.fixture("expected.safetensors"), name: "expected")
        let shapes = try Fixtures.json("Torch", "shapes.json", as: [String: Header].self)
            .filter { $0.key.hasPrefix(name + "/") }
        #expect(Set(file.tensors.keys) == Set(shapes.keys.map { String($0.dropFirst(name.count + 1)) }))
        for (path, header) in shapes {
            let key = String(path.dropFirst(name.count + 1))
            #expect(file.tensors[key]?.type.rawValue == header.type, "\(key)")
            let found = try file.values(key)
            #expect(found.shape.extents == header.extents, "\(key)")
            #expect(found.values == (try expected.values(path).values), "\(key)")
            if file.tensors[key]?.type.holdsWeights == true { #expect(try file.open(key).readAll() == found.values) }
        }
        #expect(file.extras.contains("epoch") == name.hasSuffix("trainer"))
    }

    @Test func readsParts() throws {
        let file = try TorchFile(path: Self.fixture("zip.pth"), name: "zip.pth")
        for key in ["transposed", "matrix"] {
            let tensor = try file.open(key)
            var part = [Float](repeating: 0, count: 5)
            try part.withUnsafeMutableBufferPointer { try tensor.read(3..<8, into: $0) }
            #expect(part == Array(try tensor.readAll()[3..<8]))
        }
        #expect(throws: CheckpointError.self) { _ = try file.open("position_ids") }
        #expect(throws: CheckpointError.noSuchTensor(file: "zip.pth", tensor: "x")) { _ = try file.open("x") }
    }

    /// The builders of the hostile files make good ones too, so that those are refused for what is wrong with them.
    @Test func readsWhatTheBuildersWrite() throws {
        var large = ZipBuilder.checkpoint(PickleBuilder.dictionary { $0.tensor() }, prefix: "any name/")
        large.records[0].isLarge = true
        large.records[1].isLarge = true
        large.largeEnd = (nil, nil, nil, nil)
        large.comment = Array("PK\u{5}\u{6}".utf8)
        for builder in [large, .checkpoint(PickleBuilder.dictionary { $0.tensor() }, prefix: "")] {
            let path = try folder.write(builder.encoded(), to: "model.pth")
            let file = try CheckpointFile.open(path: path, name: "model.pth")
            #expect(file.tensors == ["w": TensorHeader(type: .float32, shape: [2, 2])])
            #expect(try file.open("w").readAll() == [1, 2, 3, 4])
        }
    }

    @Test func saysWhatItFound() throws {
        let torchScript = ZipBuilder(records: [.init(name: "a/constants.pkl", bytes: [1])]).encoded()
        let program = ZipBuilder.checkpoint(PickleBuilder.dictionary { $0.global("os", "system") }).encoded()
        for (bytes, expected) in [
            (torchScript, "does not hold one pickle of tensors"), (Array("hello, world".utf8), "neither a zip file"),
            (program, "model.pth: the pickle in it asks for 'os.system', which tensors do not need; nothing was run"),
        ] {
            let path = try folder.write(bytes, to: "model.pth")
            let error = try #require(throws: CheckpointError.self) { _ = try TorchFile(path: path, name: "model.pth") }
            #expect(error.description.contains(expected), "\(error)")
        }
    }
}
