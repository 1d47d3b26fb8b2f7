/// The names that a pickle may ask for: what PyTorch needs to write tensors, and what trainers leave beside them.
///
/// None stands for code that runs. `Unpickler` computes what the tensor constructors would return, and passes over the
/// rest. A name that is not here is refused.
enum TorchGlobal: Hashable, Sendable {
    case orderedDictionary
    case set
    case size
    /// `torch._utils._rebuild_tensor`, `_v2`: storage, offset, sizes, strides, and more that is not needed.
    case rebuildTensor
    /// `_rebuild_tensor_v3`: the same over bytes, with the type as the seventh argument.
    case rebuildTypedTensor
    /// `_rebuild_parameter`, `_rebuild_parameter_with_state`: a tensor and its flags.
    case rebuildParameter
    /// `torch._tensor._rebuild_from_type_v2`: another constructor, a class, and the arguments.
    case rebuildFromType
    case tensorClass
    /// `defaultdict`, whose first argument is no content.
    case defaultDictionary
    /// A typed storage class, or bytes.
    case storage(ElementType?)
    /// A storage of elements of so many bytes that hold no weights here: quantized ones, pairs of doubles.
    case opaqueStorage(width: Int)
    case type(ElementType)
    /// What nothing is kept of: see `isInert`.
    case inert

    /// - Returns: nil for names that are refused.
    init?(module: String, name: String) {
        let isStorage = ["torch", "torch.cuda", "torch.storage"].contains(module)
        if isStorage, let global = Self.storages[name] {
            self = global
        } else if module == "torch", let global = Self.torch[name] {
            self = global
        } else if let global = Self.table["\(module).\(name)"] {
            self = global
        } else if Self.isInert(module: module, name: name) {
            self = .inert
        } else {
            return nil
        }
    }

    private static let storages: [String: TorchGlobal] = [
        "UntypedStorage": .storage(nil), "DoubleStorage": .storage(.float64), "FloatStorage": .storage(.float32),
        "HalfStorage": .storage(.float16), "BFloat16Storage": .storage(.bfloat16), "LongStorage": .storage(.int64),
        "IntStorage": .storage(.int32), "ShortStorage": .storage(.int16), "CharStorage": .storage(.int8),
        "ByteStorage": .storage(.uint8), "BoolStorage": .storage(.boolean), "ComplexFloatStorage": .storage(.complex64),
        "ComplexDoubleStorage": .opaqueStorage(width: 16), "QInt8Storage": .opaqueStorage(width: 1),
        "QUInt8Storage": .opaqueStorage(width: 1), "QInt32Storage": .opaqueStorage(width: 4),
    ]

    private static let torch: [String: TorchGlobal] = [
        "Size": .size, "Tensor": .tensorClass,
        "float64": .type(.float64), "float32": .type(.float32), "float16": .type(.float16),
        "bfloat16": .type(.bfloat16), "float8_e4m3fn": .type(.float8e4m3), "float8_e5m2": .type(.float8e5m2),
        "float8_e8m0fnu": .type(.float8e8m0), "int64": .type(.int64), "int32": .type(.int32),
        "int16": .type(.int16), "int8": .type(.int8), "uint64": .type(.uint64), "uint32": .type(.uint32),
        "uint16": .type(.uint16), "uint8": .type(.uint8), "bool": .type(.boolean), "complex64": .type(.complex64),
    ]

    private static let table: [String: TorchGlobal] = [
        "collections.OrderedDict": .orderedDictionary,
        "collections.defaultdict": .defaultDictionary,
        "builtins.set": .set, "__builtin__.set": .set,
        "torch._utils._rebuild_tensor": .rebuildTensor, "torch._utils._rebuild_tensor_v2": .rebuildTensor,
        "torch._utils._rebuild_tensor_v3": .rebuildTypedTensor,
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
        "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
        "torch.nn.parameter.Parameter": .tensorClass,
    ]
}
