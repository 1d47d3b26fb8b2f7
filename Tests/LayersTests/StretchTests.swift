import Compute
import Layers
import Tensors
import Testing

/// Sequences that come in pieces.
@Suite struct StretchTests {
    private let backend: CPUBackend

    init() throws { backend = try CPUBackend(threadCount: 1) }

    private func rows(_ range: Range<Int>, isLast: Bool = false) throws -> Stretch {
        Stretch(
            try backend.upload(range.flatMap { [Float($0), -Float($0)] }, [1, range.count, 2]), from: range.lowerBound,
            isLast: isLast)
    }

    @Test func rowsAreFoundByTheirPlaceInTheSequence() throws {
        let stretch = try rows(5..<12)
        #expect(stretch.rows == 5..<12 && !stretch.isLast)
        #expect(try stretch(7..<9).values() == [7, -7, 8, -8] && stretch(7..<9).shape == [1, 2, 2])
        #expect(try stretch(9..<9).shape == [1, 0, 2])
        for range in [4..<6, 11..<13, 0..<1] {
            #expect(throws: TensorError.self) { try stretch(range) }
        }
        #expect(Stretch(stretch.tensor, endingAt: 20, isLast: true).rows == 13..<20)
    }

    @Test func whatIsKept() throws {
        let stretch = try rows(5..<12, isLast: true)
        for (row, expected) in [(9, 9..<12), (5, 5..<12), (-3, 5..<12), (12, 11..<12), (40, 11..<12)] {
            let kept = try stretch.kept(from: row)
            #expect(kept.rows == expected && kept.isLast)
            #expect(try kept.tensor.values() == rows(expected).tensor.values())
        }
    }
}
