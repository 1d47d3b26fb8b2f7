/// Byte strings with a number each, found prefix by prefix.
struct ByteTrie: Sendable {
    typealias Node = Int

    static let root: Node = 0

    /// (node, byte) → node.
    /// (node, byte) → node.
    private var edges: [UInt64: Node] = [:]
    /// By node: the number of the string that ends there.
    private var values: [Int?] = [nil]

    /// - Parameter capacity: about how many bytes the strings have that are not in common prefixes.
    init(capacity: Int = 0) {
        edges.reserveCapacity(capacity)
        values.reserveCapacity(capacity + 1)
    }

    /// A later value for the same string replaces the earlier one.
    mutating func insert(_ string: some Sequence<UInt8>, value: Int) {
        var node = Self.root
        for byte in string {
            if let next = child(of: node, byte) {
                node = next
            } else {
                edges[Self.key(node, byte)] = values.count
                node = values.count
                values.append(nil)
            }
        }
        values[node] = value
    }

    func child(of node: Node, _ byte: UInt8) -> Node? { edges[Self.key(node, byte)] }

    /// The number of the string that ends at a node.
    func value(at node: Node) -> Int? { values[node] }

    /// The number of a whole string.
    func value(of string: some Sequence<UInt8>) -> Int? {
        var node = Self.root
        for byte in string {
            guard let next = child(of: node, byte) else { return nil }
            node = next
        }
        return value(at: node)
    }

    private static func key(_ node: Node, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }
}
