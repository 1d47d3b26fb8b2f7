import Audio
import Foundation
import Testing

@Suite struct BandTests {
    private func tone(_ hertz: Double, rate: Int, count: Int = 20000) -> [Float] {
        (0..<count).map { Float(0.5 * sin(2 * Double.pi * hertz * Double($0) / Double(rate))) }
    }

    @Test(arguments: [(16000, 1000.0...3000.0), (44100, 5000...Double.infinity), (8000, 0...2000)])
    func tonesInTheBandPassUnchangedAndOthersNot(_ rate: Int, _ band: ClosedRange<Double>) {
        let filter = BandFilter(band, sampleRate: rate)
        for hertz in stride(from: 100.0, to: Double(rate) / 2 - 100, by: 370) {
            let input = tone(hertz, rate: rate)
            let output = filter(input)
            #expect(output.count == input.count)
            let edges = [band.lowerBound, band.upperBound].filter { $0 > 0 && $0.isFinite }
            guard edges.allSatisfy({ abs($0 - hertz) > 160 }) else { continue }
            let middle = 5000..<15000
            let wanted = band.contains(hertz) ? Array(input[middle]) : [Float](repeating: 0, count: middle.count)
            let error = zip(output[middle], wanted).map { abs($0 - $1) }.max() ?? 1
            #expect(error < 2e-4, "\(hertz) Hz")
        }
    }

    @Test(arguments: [(48000, 4000.0), (16000, 3500), (44100, 11025)])
    func bandwidthIsFound(_ rate: Int, _ highest: Double) {
        var sum = [Float](repeating: 0, count: 60000)
        for part in 1...5 {
            let tone = tone(highest * Double(part) / 5, rate: rate, count: sum.count)
            for index in sum.indices { sum[index] += 0.2 * tone[index] }
        }
        #expect(abs(Bandwidth.estimate(sum, sampleRate: rate) - highest) < 0.005 * Double(rate))
        #expect(Bandwidth.estimate([Float](repeating: 0, count: 100), sampleRate: rate) == 0)
    }
}
