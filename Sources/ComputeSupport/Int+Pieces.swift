extension Int {
    /// Cuts 0…count into pieces of about the same size, multiples of `unit` but for the last.
    package func cut(into pieces: Int, unit: Int) -> [Range<Int>] {
        let units = (self + unit - 1) / unit
        let pieces = Swift.min(Swift.max(pieces, 1), Swift.max(units, 1))
        return (0..<pieces).map { piece in
            units * piece / pieces * unit..<Swift.min(units * (piece + 1) / pieces * unit, self)
        }
    }
}
