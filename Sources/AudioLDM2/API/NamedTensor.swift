/// Numbers with a shape, in PyTorch's order of axes.
public struct NamedTensor: Sendable, Hashable {
    /// What it is called where it is used.
    public let name: String
    /// Extents, the outermost first.
    public let shape: [Int]
    /// As many as the extents' product.
    public let values: [Float]

    /// Numbers with a shape that must fit them.
    public init(name: String, shape: [Int], values: [Float]) {
        (self.name, self.shape, self.values) = (name, shape, values)
    }
}
