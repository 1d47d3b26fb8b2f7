import Tensors

/// A weight in memory of its own, decompressed from a pack.
final class ResidentWeightData: WeightData {
    let description: WeightDescription
    let name: String
    private let memory: AlignedMemory

    init(_ description: WeightDescription, name: String, memory: AlignedMemory) {
        self.description = description
        self.name = name
        self.memory = memory
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
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
