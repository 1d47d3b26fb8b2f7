import AudioLDM2Converter
import Checkpoints
import Tensors
import TestSupport
import Testing

/// Damaged files: whatever is accepted can be read, whatever is refused throws, nothing crashes.
@Suite struct SafetensorsMutationTests {
    private static let original: [UInt8] = {
        var builder = SafetensorsBuilder()
        builder.metadata = ["format": "pt"]
        builder.add("conv.weight", [2, 3, 3], (0..<18).map { Float($0) })
        builder.add("conv.bias", [2], [1, 2])
        builder.add("steps", [], type: "I64", bytes: Array(repeating: 0, count: 8))
        builder.add("half", [5], type: "F16", bytes: Array(repeating: 1, count: 10))
        return builder.encoded()
    }()

    private func readAll(_ bytes: [UInt8], in folder: TemporaryFolder) throws {
        let file = try SafetensorsFile(path: folder.write(bytes, to: "model.safetensors"), name: "model.safetensors")
        for key in file.tensors.keys {
            do {
                let tensor = try file.open(key)
                _ = try [Float](unsafeUninitializedCapacity: tensor.shape.count) { buffer, count in
                    count = tensor.shape.count
                    try tensor.read(0..<count, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                }
            } catch CheckpointError.unsupportedType {
                // A byte of the type's name changed to that of another type.
            }
        }
    }

    @Test func mutations() throws {
        let folder = try TemporaryFolder()
        var random = SplitMix(seed: 42)
        var refused = 0
        try readAll(Self.original, in: folder)
        for _ in 0..<1000 {
            var bytes = Self.original
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
            do {
                try readAll(bytes, in: folder)
            } catch is CheckpointError {
                refused += 1
            }
        }
        // Damage to the data itself cannot be seen; most of this file is table.
        #expect(refused > 500)
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(place..<min(place + Int.random(in: 1...20, using: &random), bytes.count))
        case 3: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
        case 4: bytes.removeSubrange(place...)
        default:
            // Numbers grow: offsets and shapes beyond the file.
            let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
            if let digit = digits.randomElement(using: &random) {
                bytes.insert(contentsOf: Array(repeating: 57, count: Int.random(in: 1...25, using: &random)), at: digit)
            }
        }
    }
}
