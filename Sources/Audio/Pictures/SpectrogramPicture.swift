import Files
import FoundationEssentials
import Glibc
import Text

/// A mel spectrogram with its axes: time in seconds, frequency in hertz, level in decibels below the loudest.
package struct SpectrogramPicture {
    private static let range = 80.0
    private static let bands = 160

    private let sampleRate: Int
    private let seconds: Double
    /// Decibels below the loudest, `[columns, bands]`.
    private let levels: [[Float]]

    /// - Parameters:
    ///   - samples: mono, at least one.
    ///   - sampleRate: in Hz.
    package init(of samples: [Float], sampleRate: Int) {
        self.sampleRate = sampleRate
        seconds = Double(samples.count) / Double(sampleRate)
        // Frames of about 60 ms, as close together as there are columns, and at least half overlapping.
        var fftLength = 256
        while fftLength * 20 < sampleRate { fftLength *= 2 }
        let columns = Layout.plot.width
        let hop = min(max(samples.count / columns, 1), fftLength / 2)
        let spectrogram = LogMelSpectrogram(
            .init(
                sampleRate: sampleRate, fftLength: fftLength, hop: hop, bands: Self.bands,
                frequencies: 0...Double(sampleRate) / 2),
            scale: .decibels(floor: 1e-14))
        let values = spectrogram(samples)
        let loudest = values.reduce(-Float.infinity) { $1 > $0 ? $1 : $0 }
        let frames = values.count / Self.bands
        levels = (0..<columns).map { column in
            let first = min(column * frames / columns, frames - 1)
            let last = max((column + 1) * frames / columns, first + 1)
            return (0..<Self.bands).map { band in
                let sum = (first..<last).reduce(Float(0)) { $0 + values[$1 * Self.bands + band] }
                return sum / Float(last - first) - loudest
            }
        }
    }

    /// The picture as a PNG file.
    package func png() -> Data {
        var canvas = Canvas(width: Layout.width, height: Layout.height)
        drawLevels(on: &canvas)
        drawFrame(Layout.plot, on: &canvas)
        drawTimes(on: &canvas)
        drawFrequencies(on: &canvas)
        drawScale(on: &canvas)
        return canvas.picture.png()
    }

    /// Writes the picture to `path`, which should end in .png. The file appears complete or not at all.
    /// - Throws: `AudioError.cannotWrite`.
    package func write(to path: String) throws {
        let data = png()
        try replaceFile(at: path) { file in try data.withUnsafeBytes { try file.write($0, at: 0) } }
    }
}

/// Places in the picture, in pixels.
private enum Layout {
    struct Box {
        let x, y, width, height: Int
        var right: Int { x + width }
        var bottom: Int { y + height }
    }

    static let width = 1200
    static let height = 540
    static let plot = Box(x: 84, y: 46, width: 984, height: 432)
    static let scale = Box(x: 1096, y: 46, width: 18, height: 432)
    static let tick = 7
    static let textSize = 13.0
}

extension SpectrogramPicture {
    private func drawLevels(on canvas: inout Canvas) {
        let plot = Layout.plot
        for row in 0..<plot.height {
            // Between the middles of bands, from the highest down.
            let place = (Double(plot.height - row) - 0.5) / Double(plot.height) * Double(Self.bands) - 0.5
            let lower = min(max(Int(place.rounded(.down)), 0), Self.bands - 1)
            let upper = min(lower + 1, Self.bands - 1)
            let share = Float(min(max(place - Double(lower), 0), 1))
            for column in 0..<plot.width {
                let level = (1 - share) * levels[column][lower] + share * levels[column][upper]
                canvas.setLevel(Double(level) / Self.range + 1, x: plot.x + column, y: plot.y + row)
            }
        }
    }

    private func drawFrame(_ box: Layout.Box, on canvas: inout Canvas) {
        canvas.fill(x: box.x - 1..<box.right + 1, y: box.y - 1..<box.y)
        canvas.fill(x: box.x - 1..<box.right + 1, y: box.bottom..<box.bottom + 1)
        canvas.fill(x: box.x - 1..<box.x, y: box.y..<box.bottom)
        canvas.fill(x: box.right..<box.right + 1, y: box.y..<box.bottom)
    }

    private func drawTimes(on canvas: inout Canvas) {
        let plot = Layout.plot
        let (step, digits) = Self.timeStep(seconds)
        for tick in 0...Int(seconds / step + 1e-9) {
            let time = Double(tick) * step
            let x = plot.x + Int((time / seconds * Double(plot.width - 1)).rounded())
            canvas.fill(x: x..<x + 1, y: plot.bottom..<plot.bottom + Layout.tick)
            write(Self.label(time, digits: digits, step: step), x: x, y: plot.bottom + 24, .centre, on: &canvas)
        }
        if step < 60 { write("s", x: plot.right + 18, y: plot.bottom + 24, .left, on: &canvas) }
    }

    private func drawFrequencies(on canvas: inout Canvas) {
        let plot = Layout.plot
        let highest = MelFilterBank.slaneyMel(Double(sampleRate) / 2)
        for hertz in [0, 250, 500] + (0..<8).map({ 1000 << $0 }) where hertz <= sampleRate / 2 {
            let share = MelFilterBank.slaneyMel(Double(hertz)) / highest
            let y = plot.bottom - 1 - Int((share * Double(plot.height - 1)).rounded())
            canvas.fill(x: plot.x - Layout.tick..<plot.x, y: y..<y + 1)
            let text = hertz < 1000 ? "\(hertz)" : "\(hertz / 1000)k"
            write(text, x: plot.x - Layout.tick - 8, y: y, .right, on: &canvas)
        }
        write("Hz", x: plot.x - Layout.tick - 8, y: plot.y - 24, .right, on: &canvas)
    }

    private func drawScale(on canvas: inout Canvas) {
        let box = Layout.scale
        for row in 0..<box.height {
            let level = 1 - (Double(row) + 0.5) / Double(box.height)
            for x in box.x..<box.right { canvas.setLevel(level, x: x, y: box.y + row) }
        }
        drawFrame(box, on: &canvas)
        for decibels in stride(from: 0, through: Int(Self.range), by: 20) {
            let y = box.y + Int((Double(decibels) / Self.range * Double(box.height - 1)).rounded())
            canvas.fill(x: box.right..<box.right + Layout.tick, y: y..<y + 1)
            let text = decibels == 0 ? "0" : "−\(decibels)"
            write(text, x: box.right + Layout.tick + 8, y: y, .left, on: &canvas)
        }
        write("dB", x: box.right + Layout.tick + 8, y: box.y - 24, .left, on: &canvas)
    }

    private func write(_ text: String, x: Int, y: Int, _ alignment: Canvas.Alignment, on canvas: inout Canvas) {
        canvas.write(text, x: Double(x) + 0.5, middle: Double(y) + 0.5, size: Layout.textSize, alignment)
    }

    /// A round step that makes four to ten ticks, and the decimals that its multiples need.
    static func timeStep(_ seconds: Double) -> (step: Double, digits: Int) {
        for exponent in -4...4 {
            for factor in [1.0, 2, 5] where seconds / (factor * pow(10, Double(exponent))) <= 10 {
                let step = factor * pow(10, Double(exponent))
                return step < 60 ? (step, max(0, -exponent)) : ((step / 60).rounded(.up) * 60, 0)
            }
        }
        return (seconds, 0)
    }

    /// Seconds, or minutes and seconds where ticks are minutes apart.
    private static func label(_ time: Double, digits: Int, step: Double) -> String {
        guard step >= 60 else { return String(printf: "%.\(digits)f", time) }
        return String(printf: "%d:%02d", Int(time) / 60, Int(time) % 60)
    }
}
