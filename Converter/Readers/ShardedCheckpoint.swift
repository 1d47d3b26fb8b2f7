import Checkpoints
import FoundationEssentials
import Glibc

/// The tensors of several files, as listed in a `*.index.json` beside them.
package struct ShardedCheckpoint: CheckpointSource {
    package let name: String
    package let tensors: [String: TensorHeader]
    private let shards: [any CheckpointSource]
    /// Index into `shards` by key.
    private let places: [String: Int]

    private struct Index: Decodable {
        let weightMap: [String: String]

        enum CodingKeys: String, CodingKey {
            case weightMap = "weight_map"
        }
    }

    /// - Parameters:
    ///   - folder: the folder of the index and its shards.
    ///   - name: that folder, for messages.
    /// - Throws: `CheckpointError` if the index or a shard is wrong, or they disagree about what is where.
    package init(folder: String, index: String, name: String) throws {
        let indexName = "\(name)/\(index)"
        let bytes = try InputFile.contents(
            path: "\(folder)/\(index)", name: indexName, limit: SafetensorsHeader.lengthLimit)
        let map: [String: String]
        do {
            map = try JSONDecoder().decode(Index.self, from: Data(PythonJSON.standard(bytes))).weightMap
        } catch {
            throw CheckpointError.malformed(file: indexName, reason: "has no readable weight_map")
        }
        let files = Set(map.values).sorted()
        for file in files where !file.isPlainFileName {
            throw CheckpointError.invalidField(
                file: indexName, field: "weight_map", reason: "names \(file.quoted), which is not a file of this folder"
            )
        }
        shards = try files.map { try CheckpointFile.open(path: "\(folder)/\($0)", name: "\(name)/\($0)") }
        self.name = indexName

        var tensors: [String: TensorHeader] = [:]
        var places: [String: Int] = [:]
        for (place, (file, shard)) in zip(files, shards).enumerated() {
            for (key, header) in shard.tensors {
                guard map[key] == file else {
                    throw CheckpointError.invalidTensor(
                        file: shard.name, tensor: key,
                        reason: "is here, but the index says \((map[key] ?? "nothing").quoted)")
                }
                tensors[key] = header
                places[key] = place
            }
        }
        if let absent = map.keys.filter({ tensors[$0] == nil }).min() {
            throw CheckpointError.noSuchTensor(file: "\(name)/\(map[absent] ?? index)", tensor: absent)
        }
        self.tensors = tensors
        self.places = places
    }

    package func open(_ key: String) throws -> any SourceTensor {
        guard let place = places[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return try shards[place].open(key)
    }
}

extension String {
    /// Whether this names a file of the folder it is found in: no path, and not the folder itself.
    var isPlainFileName: Bool {
        !isEmpty && self != "." && self != ".." && !utf8.contains(UInt8(ascii: "/")) && !utf8.contains(0)
    }
}
