import AudioLDM2Converter
import Checkpoints
import TestSupport
import Testing

@Suite struct ShardedCheckpointTests {
    private let folder: TemporaryFolder
    private static let index = "model.safetensors.index.json"

    init() throws {
        folder = try TemporaryFolder()
        for (number, key) in ["a", "b"].enumerated() {
            var builder = SafetensorsBuilder()
            builder.add(key, [2], [Float(number), 1])
            try folder.write(builder.encoded(), to: "model-0000\(number + 1)-of-00002.safetensors")
        }
    }

    private func open(_ map: String) throws -> ShardedCheckpoint {
        try folder.write("{\"metadata\":{\"total_size\":16},\"weight_map\":{\(map)}}", to: Self.index)
        return try ShardedCheckpoint(folder: folder.path, index: Self.index, name: "unet")
    }

    private static let a = "\"a\":\"model-00001-of-00002.safetensors\""
    private static let b = "\"b\":\"model-00002-of-00002.safetensors\""

    @Test func joinsShards() throws {
        let checkpoint = try open("\(Self.a),\(Self.b)")
        #expect(checkpoint.tensors.keys.sorted() == ["a", "b"])
        #expect(try checkpoint.open("b").location == "unet/model-00002-of-00002.safetensors: tensor 'b'")
        #expect(throws: CheckpointError.self) { _ = try checkpoint.open("c") }
    }

    @Test(arguments: [
        ("\(a)", nil, nil),
        ("\(a),\"b\":\"model-00001-of-00002.safetensors\"", "model-00001-of-00002.safetensors", "'b'"),
        ("\(a),\(b),\"c\":\"model-00002-of-00002.safetensors\"", "model-00002-of-00002.safetensors", "'c'"),
        ("\(a),\"b\":\"absent.safetensors\"", "absent.safetensors", "No such file"),
        ("\"a\":\"../model.safetensors\"", index, "not a file of this folder"),
        ("\"a\":7", index, "weight_map"),
    ])
    func comparesIndexAndShards(map: String, file: String?, reason: String?) throws {
        guard let file, let reason else {
            // A shard that the index does not name is not read.
            #expect(try open(map).tensors.keys.sorted() == ["a"])
            return
        }
        let error = try #require(throws: CheckpointError.self) { _ = try open(map) }
        #expect(error.description.contains("unet/\(file)"), "\(error)")
        #expect(error.description.contains(reason), "\(error)")
    }

    @Test func namesAKeyInTheWrongShard() throws {
        let swapped = "\"a\":\"model-00002-of-00002.safetensors\",\"b\":\"model-00001-of-00002.safetensors\""
        let error = try #require(throws: CheckpointError.self) { _ = try open(swapped) }
        #expect(error.description.contains("the index says"))
    }
}
