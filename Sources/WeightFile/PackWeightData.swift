import Tensors

/// A weight in memory of its own.
package final class ResidentWeightData: WeightData {
    package let description: WeightDescription
    package let name: String
    private let memory: AlignedMemory

    init(_ description: WeightDescription, name: String, memory: AlignedMemory) {
        self.description = description
        self.name = name
        self.memory = memory
    }

    /// A copy of a weight's bytes.
    /// - Throws: `TensorError.outOfMemory`.
    package convenience init(_ description: WeightDescription, name: String, copying bytes: [UInt8]) throws {
        guard let memory = AlignedMemory(byteCount: bytes.count) else {
            throw TensorError.outOfMemory(bytes: bytes.count)
        }
        memory.bytes.copyBytes(from: bytes)
        self.init(description, name: name, memory: memory)
    }

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try body(UnsafeRawBufferPointer(memory.bytes))
    }
}

/// A weight in place in a mapped pack: its raw chunks follow one another.
final class MappedWeightData: WeightData {
    let description: WeightDescription
    let name: String
    private let file: MappedFile
    private let range: Range<Int>

    init(_ description: WeightDescription, name: String, file: MappedFile, range: Range<Int>) {
        self.description = description
        self.name = name
        self.file = file
        self.range = range
    }

    deinit { file.release(range) }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try body(file[range])
    }
}
