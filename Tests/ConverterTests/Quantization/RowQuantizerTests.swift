import AudioLDM2Converter
import TestSupport
import Testing

@Suite struct RowQuantizerTests {
    private func quantize(_ row: [Float]) -> (integers: [Int8], scale: Float) {
        var integers = [Int8](repeating: 99, count: row.count)
        let scale = row.withUnsafeBufferPointer { row in
            integers.withUnsafeMutableBufferPointer { RowQuantizer(row).quantize(into: $0) }
        }
        return (integers, scale)
    }

    private func error(_ row: [Float], _ quantized: (integers: [Int8], scale: Float)) -> Double {
        zip(row, quantized.integers).reduce(0) { sum, pair in
            let difference = Double(pair.0) - Double(pair.1) * Double(quantized.scale)
            return sum + difference * difference
        }
    }

    /// The plain definition: the largest magnitude becomes 127.
    private func byLargestMagnitude(_ row: [Float]) -> (integers: [Int8], scale: Float) {
        let scale = (row.map { abs($0) }.max() ?? 0) / 127
        return (row.map { Int8(max(-127, min(127, ($0 / scale).rounded(.toNearestOrEven)))) }, scale)
    }

    @Test func exactIntegersStayExact() {
        let row = (-127...127).map { Float($0) * 0.25 }
        let (integers, scale) = quantize(row)
        #expect(integers == (-127...127).map { Int8($0) })
        #expect(scale == 0.25)
    }

    @Test(arguments: [[], [0], [0, 0, -0.0], [Float(bitPattern: 9), -Float.leastNormalMagnitude]] as [[Float]])
    func rowsWithoutAScaleAreZero(row: [Float]) {
        let (integers, scale) = quantize(row)
        #expect(scale == 0)
        #expect(integers.allSatisfy { $0 == 0 })
    }

    @Test func hugeAndTinyRows() {
        for factor: Float in [3e38, 1e30, 1e-30, 2e-36] {
            let (integers, scale) = quantize([factor, -factor / 2, 0])
            #expect(scale.isNormal)
            #expect(integers[0] == 127 && abs(integers[1]) - 64 <= 0 && integers[2] == 0)
        }
    }

    @Test(arguments: [1, 3, 7, 8, 9, 32, 768, 3000])
    func isNeverWorseThanTheLargestMagnitude(count: Int) {
        var random = SplitMix(seed: UInt64(count))
        for row in [random.normal(count), random.laplace(count), random.uniform(count)] {
            let quantized = quantize(row)
            #expect(quantized.integers.allSatisfy { $0 >= -127 })
            #expect(error(row, quantized) <= error(row, byLargestMagnitude(row)) * 1.00001 + 1e-12)
            let reported = row.withUnsafeBufferPointer { RowQuantizer($0).squaredError(quantized.scale) }
            #expect(abs(reported - error(row, quantized)) <= 1e-4 * reported + 1e-12)
        }
    }

    @Test func relativeErrorsAreThoseOfEightBits() {
        var random = SplitMix(seed: 5)
        func relative(_ row: [Float]) -> Double {
            (error(row, quantize(row)) / row.reduce(0) { $0 + Double($1) * Double($1) }).squareRoot()
        }
        #expect((0.003...0.0042).contains(relative(random.uniform(4096))))
        #expect((0.007...0.0095).contains(relative(random.normal(4096))))
        #expect((0.011...0.017).contains(relative(random.laplace(4096))))
    }

    @Test func clippingHelpsWhereOneNumberStandsOut() {
        var random = SplitMix(seed: 9)
        var row = random.normal(8192)
        row[100] = 4.6
        #expect(error(row, quantize(row)) < 0.99 * error(row, byLargestMagnitude(row)))
    }
}
