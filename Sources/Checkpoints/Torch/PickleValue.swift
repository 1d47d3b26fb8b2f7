/// What a pickle can make here: numbers, texts and containers, and the tensors between them.
enum PickleValue: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case string(String)
    case global(TorchGlobal)
    /// Index into `PickleHeap.containers`.
    case container(Int)
    /// Index into `PickleHeap.storages`.
    case storage(Int)
    /// Index into `PickleHeap.tensors`.
    case tensor(Int)
    /// A number, text or object that no tensor depends on, of which nothing is kept.
    case inert
}

/// Everything that a pickle has made, by index.
///
/// Containers hold indices, not each other: a list inside itself cannot leak, and one that is a million deep cannot
/// overflow the stack as it is freed. What may be made is limited: an operation of two bytes can copy a million items.
struct PickleHeap: Sendable {
    /// More was made than any checkpoint holds.
    struct Overflow: Error {}

    enum Kind: Sendable {
        case list, tuple, set
        /// Items are keys and values in turn; a later key replaces an earlier one.
        case dictionary
    }

    struct Container: Sendable {
        let kind: Kind
        var items: [PickleValue]
    }

    private(set) var containers: [Container] = []
    private(set) var storages: [TorchStorage] = []
    private(set) var tensors: [TorchTensor] = []
    /// What may still be made, in values. 8,700 tensors with their optimizer's state take about a million.
    private var room = 4_000_000

    /// Takes from the room.
    /// - Throws: `Overflow`.
    private mutating func spend(_ values: Int) throws {
        guard values <= room else { throw Overflow() }
        room -= values
    }

    /// - Throws: `Overflow`.
    mutating func add(_ kind: Kind, _ items: [PickleValue] = []) throws -> PickleValue {
        try spend(2 + items.count)
        containers.append(Container(kind: kind, items: items))
        return .container(containers.count - 1)
    }

    /// - Throws: `Overflow`.
    mutating func append(_ items: [PickleValue], to index: Int) throws {
        try spend(items.count)
        containers[index].items.append(contentsOf: items)
    }

    /// - Throws: `Overflow`.
    mutating func add(_ storage: TorchStorage) throws -> Int {
        try spend(4)
        storages.append(storage)
        return storages.count - 1
    }

    /// - Throws: `Overflow`.
    mutating func add(_ tensor: TorchTensor) throws -> Int {
        try spend(16)
        tensors.append(tensor)
        return tensors.count - 1
    }

    /// The items of a container of one of these kinds; nil for anything else.
    func items(_ value: PickleValue, _ kinds: Kind...) -> [PickleValue]? {
        guard case .container(let index) = value, kinds.contains(containers[index].kind) else { return nil }
        return containers[index].items
    }

    /// A tuple (or list) of whole numbers, not longer than any shape; nil for anything else.
    func integers(_ value: PickleValue) -> [Int]? {
        guard let items = items(value, .tuple, .list), items.count <= TorchTensor.rankLimit else { return nil }
        let integers = items.compactMap { if case .integer(let integer) = $0 { integer } else { nil } }
        return integers.count == items.count ? integers : nil
    }

    /// The values of a dictionary under keys that are texts, in the order written; nil for anything else.
    func entries(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
        guard let items = items(value, .dictionary) else { return nil }
        return stride(from: 0, to: items.count - 1, by: 2).compactMap { index in
            if case .string(let key) = items[index] { (key, items[index + 1]) } else { nil }
        }
    }

    /// How deep containers lie in each other below `root`; nil if one lies in itself.
    func depth(below root: PickleValue) -> Int? {
        guard case .container(let first) = root else { return 0 }
        // 0: not seen, −1: being looked into, else the container's height.
        var heights = [Int](repeating: 0, count: containers.count)
        var path = [(container: first, next: 0, height: 1)]
        heights[first] = -1
        while var step = path.popLast() {
            let items = containers[step.container].items
            var descends = false
            while step.next < items.count, !descends {
                guard case .container(let inner) = items[step.next], heights[inner] <= 0 else {
                    if case .container(let inner) = items[step.next] {
                        step.height = max(step.height, heights[inner] + 1)
                    }
                    step.next += 1
                    continue
                }
                guard heights[inner] == 0 else { return nil }
                heights[inner] = -1
                path.append(step)
                path.append((inner, 0, 1))
                descends = true
            }
            if !descends { heights[step.container] = step.height }
        }
        return heights[first]
    }
}
