/// Reads one pickle as data: a stack machine (CPython's `pickletools`) that knows containers, numbers, texts and the
/// constructors of tensors, and runs nothing.
///
/// Work and memory are bounded by the pickle's length and by limits that real checkpoints stay far below. Anything that
/// is not known is refused by its name.
struct Unpickler {
    let file: String
    var stream: ByteStream
    var heap: PickleHeap
    private var stack: [PickleValue] = []
    /// Heights of the stack at which groups of values begin.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    /// Indices into `heap.storages` by key.
    var storageIndices: [String: Int] = [:]

    /// A checkpoint of 8,700 tensors with its optimizer's state takes less than a million.
    private static let operationLimit = 2_000_000
    /// Bytes of one pickle.
    static let lengthLimit = 64 << 20
    private static let depthLimit = 64
    private static let lineLimit = 1024

    init(_ stream: ByteStream, file: String) {
        self.stream = stream
        self.file = file
        heap = PickleHeap()
    }

    /// Reads up to the end of the pickle; `stream` stands behind it then.
    /// - Returns: what it made, and `heap` with what that consists of.
    /// - Throws: `CheckpointError`.
    mutating func load() throws -> PickleValue {
        (stack, marks, memo) = ([], [], [:])
        let start = stream.position
        for _ in 0..<Self.operationLimit {
            let code = try stream.byte()
            guard code != UInt8(ascii: ".") else {
                guard stack.count == 1, marks.isEmpty else { throw malformed("ends with \(stack.count) values") }
                let root = stack[0]
                guard let depth = heap.depth(below: root) else { throw malformed("has a container inside itself") }
                guard depth <= Self.depthLimit else { throw malformed("has containers \(depth) deep in each other") }
                return root
            }
            guard stream.position - start <= Self.lengthLimit else { break }
            do {
                guard try step(PickleOperation(rawValue: code)) else {
                    throw malformed("has the unknown operation 0x" + String(code, radix: 16))
                }
            } catch is PickleHeap.Overflow {
                throw malformed("makes more values than that of any checkpoint")
            }
        }
        throw malformed("is longer than that of any checkpoint")
    }

    func malformed(_ what: String) -> CheckpointError {
        .malformed(file: file, reason: "its pickle \(what) (byte \(stream.position))")
    }

    func forbidden(_ what: String) -> CheckpointError { .forbidden(file: file, what: what) }

    /// Carries out one operation.
    /// - Returns: false if it is none of those that are known.
    private mutating func step(_ operation: PickleOperation?) throws -> Bool {
        guard let operation else { return false }
        switch operation {
        case .proto: try readProtocol()
        case .frame: _ = try stream.integer(UInt64.self)
        case .mark: marks.append(stack.count)
        case .pop: if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
        case .popMark: _ = try popGroup()
        case .duplicate: push(try top())
        case .none: push(.none)
        case .newTrue: push(.boolean(true))
        case .newFalse: push(.boolean(false))
        case .int, .long, .binInt, .binInt1, .binInt2, .long1, .long4: push(try readInteger(operation))
        case .float:
            _ = try stream.line(limit: Self.lineLimit)
            push(.inert)
        case .binFloat: try pushInert(bytes: 8)
        case .binUnicode, .shortBinUnicode, .binUnicode8, .binString, .shortBinString: push(try readString(operation))
        case .unicode: push(.string(try text(stream.line(limit: Self.lineLimit))))
        case .binBytes: try pushInert(bytes: Int(stream.integer(UInt32.self)))
        case .shortBinBytes: try pushInert(bytes: Int(stream.byte()))
        case .binBytes8, .byteArray8: try pushInert(bytes: readSize())
        case .emptyTuple: push(try heap.add(.tuple))
        case .tuple1, .tuple2, .tuple3: try pushTuple(Int(operation.rawValue - PickleOperation.tuple1.rawValue) + 1)
        case .tuple: push(try heap.add(.tuple, popGroup()))
        case .emptyList: push(try heap.add(.list))
        case .list: push(try heap.add(.list, popGroup()))
        case .append: try append([try pop()], to: [.list])
        case .appends: try append(try popGroup(), to: [.list])
        case .emptySet: push(try heap.add(.set))
        case .addItems: try append(try popGroup(), to: [.set])
        case .frozenSet: push(try heap.add(.set, popGroup()))
        case .emptyDict: push(try heap.add(.dictionary))
        case .dict: push(try heap.add(.dictionary, pairs(popGroup())))
        case .setItem:
            let value = try pop()
            try append([try pop(), value], to: [.dictionary])
        case .setItems: try append(try pairs(popGroup()), to: [.dictionary])
        case .put: memo[try readIndex()] = try top()
        case .binPut: memo[Int(try stream.byte())] = try top()
        case .longBinPut: memo[Int(try stream.integer(UInt32.self))] = try top()
        case .memoize: memo[memo.count] = try top()
        case .get: push(try remembered(try readIndex()))
        case .binGet: push(try remembered(Int(try stream.byte())))
        case .longBinGet: push(try remembered(Int(try stream.integer(UInt32.self))))
        case .global:
            try pushGlobal(
                module: text(stream.line(limit: Self.lineLimit)), name: text(stream.line(limit: Self.lineLimit)))
        case .stackGlobal:
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                throw malformed("asks for something without a name")
            }
            try pushGlobal(module: module, name: name)
        case .reduce, .newObject:
            let arguments = try pop()
            push(try construct(try pop(), arguments))
        case .build:
            _ = try pop()
            try checkAttributes()
        case .binPersistentID: push(try storage(try pop()))
        }
        return true
    }
}

// MARK: The stack

extension Unpickler {
    private mutating func push(_ value: PickleValue) { stack.append(value) }

    /// Values below a mark stay where they are until the mark is gone.
    private mutating func pop() throws -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw malformed("takes from nothing") }
        return value
    }

    func top() throws -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else { throw malformed("takes from nothing") }
        return value
    }

    /// All values above the last mark.
    private mutating func popGroup() throws -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("ends a group without a start") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func pushTuple(_ count: Int) throws {
        guard stack.count - (marks.last ?? 0) >= count else { throw malformed("takes from nothing") }
        let items = Array(stack.suffix(count))
        stack.removeLast(count)
        push(try heap.add(.tuple, items))
    }

    private mutating func pushInert(bytes count: Int) throws {
        try stream.skip(count)
        push(.inert)
    }

    private mutating func append(_ items: [PickleValue], to kinds: [PickleHeap.Kind]) throws {
        let target = try top()
        if case .inert = target { return }
        guard case .container(let index) = target, kinds.contains(heap.containers[index].kind) else {
            throw malformed("adds items to what holds none")
        }
        try heap.append(items, to: index)
    }

    private func pairs(_ items: [PickleValue]) throws -> [PickleValue] {
        guard items.count.isMultiple(of: 2) else { throw malformed("has a key without a value") }
        return items
    }

    private func remembered(_ index: Int) throws -> PickleValue {
        guard let value = memo[index] else { throw malformed("remembers value \(index), which was never kept") }
        return value
    }
}

// MARK: Numbers and texts

extension Unpickler {
    private mutating func readProtocol() throws {
        let version = try stream.byte()
        guard version <= 5 else { throw malformed("has the unknown version \(version)") }
    }

    private mutating func readInteger(_ operation: PickleOperation) throws -> PickleValue {
        switch operation {
        case .binInt: return .integer(Int(try stream.integer(Int32.self)))
        case .binInt1: return .integer(Int(try stream.byte()))
        case .binInt2: return .integer(Int(try stream.integer(UInt16.self)))
        case .long1: return try readLong(Int(try stream.byte()))
        case .long4: return try readLong(Int(try stream.integer(Int32.self)))
        default:
            var digits = try text(stream.line(limit: Self.lineLimit))
            if operation == .int, digits == "00" || digits == "01" { return .boolean(digits == "01") }
            if digits.hasSuffix("L") { digits.removeLast() }
            return Int(digits).map(PickleValue.integer) ?? .inert
        }
    }

    /// A little-endian integer of any length; those that do not fit in 64 bits are of no use here.
    private mutating func readLong(_ count: Int) throws -> PickleValue {
        guard (0...8).contains(count) else {
            guard count >= 0 else { throw malformed("has a number of \(count) bytes") }
            try stream.skip(count)
            return .inert
        }
        let bytes = try stream.bytes(count)
        let sign: UInt64 = bytes.last.map { $0 >= 0x80 ? .max : 0 } ?? 0
        return .integer(Int(truncatingIfNeeded: bytes.reversed().reduce(sign) { $0 << 8 | UInt64($1) }))
    }

    private mutating func readString(_ operation: PickleOperation) throws -> PickleValue {
        let count: Int
        switch operation {
        case .shortBinUnicode, .shortBinString: count = Int(try stream.byte())
        case .binUnicode: count = Int(try stream.integer(UInt32.self))
        case .binString: count = Int(try stream.integer(Int32.self))
        default: count = try readSize()
        }
        // What Python 2 called a string may be bytes, and Python's text may hold half a surrogate pair: neither is a name.
        return String(validating: try stream.bytes(count), as: UTF8.self).map(PickleValue.string) ?? .inert
    }

    private mutating func readSize() throws -> Int {
        let size = try stream.integer(UInt64.self)
        guard let count = Int(exactly: size) else { throw malformed("has a value of \(size) bytes") }
        return count
    }

    private mutating func readIndex() throws -> Int {
        guard let index = Int(try text(stream.line(limit: Self.lineLimit))), index >= 0 else {
            throw malformed("remembers without a number")
        }
        return index
    }

    private func text(_ bytes: [UInt8]) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw malformed("has a text that is not UTF-8")
        }
        return text
    }

    private mutating func pushGlobal(module: String, name: String) throws {
        guard let global = TorchGlobal(module: module, name: name) else {
            throw forbidden("asks for \("\(module).\(name)".quoted)")
        }
        push(.global(global))
    }
}
