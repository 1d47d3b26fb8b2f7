import Tensors

/// The JSON table at the start of a safetensors file, checked against the file's size.
///
/// A file is `u64 length | JSON of that length | data`; the JSON maps each key to its type, shape and place in the data.
/// As the format demands, the data is covered without holes or overlaps.
/// <https://github.com/huggingface/safetensors#format>
package struct SafetensorsHeader: Sendable {
    /// A tensor and the bytes of the file that hold it.
    struct Entry: Sendable {
        let header: TensorHeader
        let bytes: Range<Int>
    }

    /// The format's own bound on the table.
    package static let lengthLimit = 100_000_000

    private(set) var entries: [String: Entry] = [:]
    private(set) var metadata: [String: String] = [:]
    private let file: String
    private let dataStart: Int
    private let dataCount: Int

    /// - Throws: `CheckpointError` if the table is longer than the file or contradicts itself.
    package init(_ input: InputFile) throws {
        file = input.name
        let prefix = try input.bytes(at: 0, count: 8)
        let length = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.lengthLimit), Int(length) <= input.size - 8 else {
            throw CheckpointError.malformed(
                file: file, reason: "claims a table of \(length) bytes, but has \(input.size) bytes in all")
        }
        dataStart = 8 + Int(length)
        dataCount = input.size - dataStart
        var parser = SafetensorsParser(try input.bytes(at: 8, count: Int(length)), file: file)
        let table = try parser.parse()
        metadata = table.metadata
        entries.reserveCapacity(table.tensors.count)
        for tensor in table.tensors {
            guard entries.updateValue(try entry(for: tensor), forKey: tensor.key) == nil else {
                throw CheckpointError.invalidTensor(file: file, tensor: tensor.key, reason: "appears twice")
            }
        }
        try checkCoverage()
    }

    private func entry(for tensor: SafetensorsParser.Tensor) throws -> Entry {
        func invalid(_ reason: String) -> CheckpointError {
            .invalidTensor(file: file, tensor: tensor.key, reason: reason)
        }
        guard let type = ElementType(rawValue: tensor.type) else {
            throw invalid("has the unknown type \(tensor.type.quoted)")
        }
        let shape = Shape(tensor.shape)
        guard let count = shape.checkedCount, !count.multipliedReportingOverflow(by: type.byteCount).overflow else {
            throw invalid("has the impossible shape \(shape)")
        }
        guard tensor.begin <= tensor.end, tensor.end <= dataCount else {
            throw invalid("should lie at bytes \(tensor.begin)–\(tensor.end) of \(dataCount)")
        }
        guard tensor.end - tensor.begin == count * type.byteCount else {
            throw invalid(
                "has \(tensor.end - tensor.begin) bytes, but \(type.rawValue) \(shape) needs \(count * type.byteCount)")
        }
        return Entry(
            header: TensorHeader(type: type, shape: shape),
            bytes: dataStart + tensor.begin..<dataStart + tensor.end)
    }

    private func checkCoverage() throws {
        let byPlace = entries.sorted {
            ($0.value.bytes.lowerBound, $0.value.bytes.upperBound, $0.key)
                < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound, $1.key)
        }
        var end = dataStart
        for (key, entry) in byPlace {
            guard entry.bytes.lowerBound == end else {
                let reason = entry.bytes.lowerBound < end ? "overlaps the tensor before it" : "leaves a hole before it"
                throw CheckpointError.invalidTensor(file: file, tensor: key, reason: reason)
            }
            end = entry.bytes.upperBound
        }
        guard end == dataStart + dataCount else {
            throw CheckpointError.malformed(
                file: file, reason: "has \(dataStart + dataCount - end) bytes that belong to no tensor")
        }
    }
}
