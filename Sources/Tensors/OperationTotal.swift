/// What all calls of one kind of operation have cost.
package struct OperationTotal: Sendable, Hashable {
    package private(set) var calls = 0
    /// Wall time.
    package private(set) var seconds = 0.0
    /// Multiply-accumulates.
    package private(set) var products = 0

    package init() {}

    package mutating func add(seconds: Double, products: Int) {
        calls += 1
        self.seconds += seconds
        self.products += products
    }
}
