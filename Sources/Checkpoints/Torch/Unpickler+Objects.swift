import Tensors

/// What the constructors that a pickle may name would return.
extension Unpickler {
    /// What calling `callable` would give, if it is one of the constructors that are known.
    mutating func construct(_ callable: PickleValue, _ arguments: PickleValue) throws -> PickleValue {
        guard case .global(let global) = callable else { throw malformed("calls what is no constructor") }
        guard let arguments = heap.items(arguments, .tuple) else { throw malformed("calls without arguments") }
        return try construct(global, arguments)
    }

    private mutating func construct(_ global: TorchGlobal, _ arguments: [PickleValue]) throws -> PickleValue {
        switch global {
        case .orderedDictionary: return try heap.add(.dictionary, try orderedItems(arguments))
        case .set: return try heap.add(.set, arguments.first.flatMap { heap.items($0, .list, .tuple, .set) } ?? [])
        case .size:
            guard arguments.count == 1, let sizes = heap.items(arguments[0], .tuple, .list) else { break }
            return try heap.add(.tuple, sizes)
        case .inert: return .inert
        case .defaultDictionary: return try heap.add(.dictionary)
        case .rebuildParameter:
            switch arguments.first {
            case .tensor(let tensor): return .tensor(tensor)
            case .inert: return .inert
            default: break
            }
        case .rebuildFromType:
            guard arguments.count == 4, case .global(let inner) = arguments[0], inner.rebuildsTensor,
                case .global(.tensorClass) = arguments[1], let inputs = heap.items(arguments[2], .tuple)
            else { break }
            return try construct(inner, inputs)
        case .rebuildTensor: return try tensor(arguments, type: nil)
        case .rebuildTypedTensor:
            guard arguments.count >= 7, case .global(.type(let type)) = arguments[6] else { break }
            return try tensor(arguments, type: type)
        case .tensorClass, .storage, .opaqueStorage, .type:
            throw forbidden("makes a tensor in a way that is not known")
        }
        throw malformed("calls a constructor with other arguments than PyTorch")
    }

    /// The items of a dictionary that an older Python wrote as a list of pairs.
    private func orderedItems(_ arguments: [PickleValue]) throws -> [PickleValue] {
        guard let list = arguments.first else { return [] }
        let pairs = heap.items(list, .list).map { $0.map { heap.items($0, .list, .tuple) ?? [] } }
        guard arguments.count == 1, let pairs, pairs.allSatisfy({ $0.count == 2 }) else {
            throw malformed("makes a dictionary of something else than pairs")
        }
        return pairs.flatMap(\.self)
    }

    /// - Parameter type: nil if the storage has one.
    private mutating func tensor(_ arguments: [PickleValue], type: ElementType?) throws -> PickleValue {
        guard arguments.count >= 4, case .storage(let index) = arguments[0], case .integer(let offset) = arguments[1],
            let extents = heap.integers(arguments[2]), let strides = heap.integers(arguments[3])
        else { throw malformed("makes a tensor with other arguments than PyTorch") }
        let storage = heap.storages[index]
        guard storage.opaqueWidth == nil else { return .inert }
        guard let type = type ?? storage.type else {
            throw malformed("makes a tensor with other arguments than PyTorch")
        }
        let count = storage.type == nil ? storage.count / type.byteCount : storage.count
        guard storage.type == nil || storage.type == type else { throw malformed("makes a tensor of another type") }
        var fault = ""
        guard
            let tensor = TorchTensor(
                storage: index, count: count, type: type, shape: Shape(extents), strides: strides, offset: offset,
                fault: &fault)
        else { throw malformed("has a tensor \(fault)") }
        return .tensor(try heap.add(tensor))
    }

    /// Whether the value on top may get attributes. Those (`OrderedDict._metadata`, a parameter's) say nothing about
    /// numbers, and are dropped.
    func checkAttributes() throws {
        switch try top() {
        case .inert, .tensor: break
        case .container(let index) where heap.containers[index].kind == .dictionary: break
        default: throw malformed("gives attributes to what has none")
        }
    }

    /// `('storage', class, key, device, count)`; an older form has a view of another storage as its sixth.
    mutating func storage(_ id: PickleValue) throws -> PickleValue {
        guard let fields = heap.items(id, .tuple), fields.count == 5 || fields.count == 6,
            case .string("storage") = fields[0], let (type, width) = elements(fields[1]),
            case .string(let key) = fields[2], case .string = fields[3], case .integer(let count) = fields[4],
            count >= 0
        else { throw malformed("refers to data in another way than PyTorch") }
        if fields.count == 6, case .none = fields[5] {
        } else if fields.count == 6 {
            throw malformed("has a storage that is part of another; save it again with a newer PyTorch")
        }
        let storage = TorchStorage(key: key, type: type, count: count, opaqueWidth: width)
        guard storage.byteCount != nil else { throw malformed("has a storage of \(count) elements") }
        if let index = storageIndices[key] {
            guard heap.storages[index] == storage else { throw malformed("has storage \(key.quoted) in two ways") }
            return .storage(index)
        }
        let index = try heap.add(storage)
        storageIndices[key] = index
        return .storage(index)
    }
}

extension Unpickler {
    /// What a class of storages holds: the type of its elements, or their width if they hold no weights here; neither for
    /// bytes.
    private func elements(_ value: PickleValue) -> (type: ElementType?, opaqueWidth: Int?)? {
        switch value {
        case .global(.storage(let type)): (type, nil)
        case .global(.opaqueStorage(let width)): (nil, width)
        default: nil
        }
    }
}

extension TorchGlobal {
    fileprivate var rebuildsTensor: Bool {
        switch self {
        case .rebuildTensor, .rebuildTypedTensor, .rebuildParameter, .inert: true
        default: false
        }
    }
}
