/// Names of what files hold beside their tensors, of which nothing is kept: `Unpickler` makes nothing of them, whatever
/// they are called with.
extension TorchGlobal {
    /// - Returns: whether a pickle may name it.
    static func isInert(module: String, name: String) -> Bool {
        inertNames[module]?.contains(name) == true
    }

    /// By module. What `torch.load` takes with `weights_only` comes first, then what trainers save of their own.
    private static let inertNames: [String: Set<String>] = [
        "torch": types.union(tensorClasses),
        "torch.cuda": tensorClasses, "torch.sparse": tensorClasses, "torch.cuda.sparse": tensorClasses,
        "torch.serialization": ["_get_layout"],
        // Tensors that are no plain view of a storage.
        "torch._utils": [
            "_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_nested_tensor", "_rebuild_meta_tensor_no_storage",
            "_rebuild_wrapper_subclass", "_rebuild_device_tensor_from_numpy", "_rebuild_device_tensor_from_cpu_tensor",
            "_rebuild_xla_tensor",
        ],
        "collections": ["Counter"],
        "_codecs": ["encode"],
        "builtins": builtins, "__builtin__": builtins,
        "numpy": numpy, "numpy.dtypes": numpyTypes,
        "numpy.core.multiarray": multiarray, "numpy._core.multiarray": multiarray,
        "numpy.core.numeric": ["_frombuffer"], "numpy._core.numeric": ["_frombuffer"],
        // States of generators.
        "numpy.random._pickle": ["__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"],
        "numpy.random._mt19937": ["MT19937"], "numpy.random._pcg64": ["PCG64", "PCG64DXSM"],
        "numpy.random._philox": ["Philox"], "numpy.random._sfc64": ["SFC64"],
        "numpy.random.bit_generator": ["SeedSequence", "__pyx_unpickle_SeedSequence"],
        "pathlib": paths, "pathlib._local": paths,
        "argparse": ["Namespace"], "types": ["SimpleNamespace"], "functools": ["partial"],
        "datetime": ["datetime", "date", "time", "timedelta", "timezone"],
        "decimal": ["Decimal"], "fractions": ["Fraction"], "uuid": ["UUID"],
        // Settings, as Lightning keeps them.
        "omegaconf.dictconfig": ["DictConfig"], "omegaconf.listconfig": ["ListConfig"],
        "omegaconf.base": ["ContainerMetadata", "Metadata"],
        "omegaconf.nodes": [
            "AnyNode", "StringNode", "IntegerNode", "FloatNode", "BooleanNode", "BytesNode", "PathNode", "EnumNode",
        ],
        "typing": ["Any"],
    ]

    /// Types of Python (some under Python 2's names), which settings name and `defaultdict` makes values with.
    private static let builtins: Set = [
        "bytearray", "bytes", "complex", "frozenset", "slice", "range", "int", "float", "bool", "str", "list", "tuple",
        "dict", "long", "unicode", "xrange",
    ]

    /// Number types that hold no weights here.
    private static let types: Set = [
        "complex32", "complex128", "qint8", "quint8", "qint32", "quint4x2", "quint2x4", "bits1x8", "bits2x4", "bits4x2",
        "bits8", "bits16", "float8_e4m3fnuz", "float8_e5m2fnuz", "float4_e2m1fn_x2", "int1", "int2", "int3", "int4",
        "int5", "int6", "int7", "uint1", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7", "per_tensor_affine",
        "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams",
        "device",
    ]

    /// As they were called before `torch.Tensor` was all of them.
    private static let tensorClasses: Set = Set(
        ["Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"].map { $0 + "Tensor" })

    private static let numpy: Set = [
        "dtype", "ndarray", "bool_", "bool", "float16", "float32", "float64", "longdouble", "int8", "int16", "int32",
        "int64", "uint8", "uint16", "uint32", "uint64", "complex64", "complex128", "str_", "bytes_", "datetime64",
        "timedelta64",
    ]

    private static let numpyTypes: Set = Set(
        [
            "Bool", "Float16", "Float32", "Float64", "LongDouble", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16",
            "UInt32", "UInt64", "Complex64", "Complex128", "Str", "Bytes", "Object",
        ].map { $0 + "DType" })

    private static let multiarray: Set = ["scalar", "_reconstruct"]

    private static let paths: Set = [
        "Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath",
    ]
}
