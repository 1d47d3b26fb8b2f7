import CKernels

/// Number types that the safetensors format names.
/// <https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs>
package enum ElementType: String, Hashable, Sendable, CaseIterable {
    case boolean = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case float8e8m0 = "F8_E8M0"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"
    case complex64 = "C64"

    package var byteCount: Int {
        switch self {
        case .boolean, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64, .complex64: 8
        }
    }

    /// Whether weights are published in the type.
    package var holdsWeights: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }

    /// Whether `expand` knows the type.
    package var isReadable: Bool {
        switch self {
        case .float8e5m2, .float8e4m3, .float8e8m0, .complex64: false
        default: true
        }
    }

    /// Widens or rounds elements to float32.
    /// - Parameters:
    ///   - bytes: `values.count` little-endian elements of a type that `isReadable`, aligned for it. (Every CPU that
    ///     this package builds for is little-endian.)
    func expand(_ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>) {
        switch self {
        case .float16:
            let halves = bytes.assumingMemoryBound(to: UInt16.self)
            kernels_current().pointee.expand_f16(halves.baseAddress, values.count, values.baseAddress)
        case .bfloat16:
            let halves = bytes.assumingMemoryBound(to: UInt16.self)
            for i in values.indices { values[i] = Float(bitPattern: UInt32(halves[i]) << 16) }
        case .float64:
            let doubles = bytes.assumingMemoryBound(to: Double.self)
            for i in values.indices { values[i] = Float(doubles[i]) }
        case .int64: Self.convert(bytes, as: Int64.self, into: values)
        case .uint64: Self.convert(bytes, as: UInt64.self, into: values)
        case .int32: Self.convert(bytes, as: Int32.self, into: values)
        case .uint32: Self.convert(bytes, as: UInt32.self, into: values)
        case .int16: Self.convert(bytes, as: Int16.self, into: values)
        case .uint16: Self.convert(bytes, as: UInt16.self, into: values)
        case .int8: Self.convert(bytes, as: Int8.self, into: values)
        case .uint8, .boolean: Self.convert(bytes, as: UInt8.self, into: values)
        default:
            UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
        }
    }

    private static func convert<Integer: BinaryInteger>(
        _ bytes: UnsafeRawBufferPointer, as type: Integer.Type, into values: UnsafeMutableBufferPointer<Float>
    ) {
        let integers = bytes.assumingMemoryBound(to: type)
        for i in values.indices { values[i] = Float(integers[i]) }
    }
}
