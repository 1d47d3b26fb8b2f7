import Files
import FoundationEssentials
import Glibc
import Text

/// Panels one above the other, each with an axis of its own and rows of points, means and intervals.
package struct IntervalChart {
    package struct Row {
        let label: String
        let points: [Double]
        let mean: Double?
        let interval: ClosedRange<Double>?

        package init(label: String, points: [Double] = [], mean: Double?, interval: ClosedRange<Double>? = nil) {
            (self.label, self.points, self.mean, self.interval) = (label, points, mean, interval)
        }
    }

    package struct Panel {
        let title: String
        let rows: [Row]
        /// Of the axis; nil for what the rows need.
        let range: ClosedRange<Double>?

        package init(title: String, rows: [Row], range: ClosedRange<Double>? = nil) {
            (self.title, self.rows, self.range) = (title, rows, range)
        }
    }

    private static let width = 1000
    private static let left = 300
    private static let right = 960
    private static let rowHeight = 44
    private static let titleHeight = 56
    private static let axisHeight = 60
    private static let textSize = 13.0
    /// Where names are cut, in letters.
    private static let nameLength = 24
    /// Points of a row that are drawn.
    private static let mostPoints = 4000

    private let panels: [Panel]

    package init(_ panels: [Panel]) { self.panels = panels }

    /// The picture as a PNG file.
    package func png() -> Data {
        let height = panels.reduce(20) { $0 + Self.titleHeight + $1.rows.count * Self.rowHeight + Self.axisHeight }
        var canvas = Canvas(width: Self.width, height: height)
        var top = 0
        for panel in panels {
            draw(panel, at: top, on: &canvas)
            top += Self.titleHeight + panel.rows.count * Self.rowHeight + Self.axisHeight
        }
        return canvas.picture.png()
    }

    /// - Throws: `AudioError.cannotWrite`.
    package func write(to path: String) throws {
        let bytes = png()
        try replaceFile(at: path) { file in try bytes.withUnsafeBytes { try file.write($0, at: 0) } }
    }

    private func draw(_ panel: Panel, at top: Int, on canvas: inout Canvas) {
        let range = panel.range ?? Self.range(of: panel.rows)
        let length = range.upperBound - range.lowerBound
        func x(_ value: Double) -> Double {
            let share = min(max((value - range.lowerBound) / length, 0), 1)
            return Double(Self.left) + share * Double(Self.right - Self.left)
        }
        canvas.write(
            StrokeFont.writable(panel.title), x: Double(Self.left), middle: Double(top) + 30, size: Self.textSize + 2,
            .left)
        let (first, bottom) = (top + Self.titleHeight, top + Self.titleHeight + panel.rows.count * Self.rowHeight)
        canvas.fill(x: Self.left..<Self.right, y: bottom..<bottom + 1)
        let (step, digits) = Self.step(length)
        for tick in Int(
            (range.lowerBound / step - 1e-9).rounded(.up))...Int((range.upperBound / step + 1e-9).rounded(.down))
        {
            let place = Int(x(Double(tick) * step))
            canvas.fill(x: place..<place + 1, y: bottom..<bottom + 7)
            canvas.fill(x: place..<place + 1, y: first..<bottom, ink: 0.12)
            let text = String(printf: "%.\(digits)f", Double(tick) * step).replacing("-", with: "−")
            canvas.write(text, x: Double(place), middle: Double(bottom) + 24, size: Self.textSize, .centre)
        }
        for (index, row) in panel.rows.enumerated() {
            let middle = Double(first + index * Self.rowHeight + Self.rowHeight / 2)
            let name = String(StrokeFont.writable(row.label).prefix(Self.nameLength))
            canvas.write(name, x: Double(Self.left - 16), middle: middle, size: Self.textSize, .right)
            for (place, point) in row.points.prefix(Self.mostPoints).enumerated() where point.isFinite {
                // Beside each other by the golden ratio, so that equal ones show.
                let shift = (Double(place) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1) - 0.5
                canvas.dot(x: x(point), y: middle + shift * 24, radius: 2, ink: 0.35)
            }
            if let interval = row.interval {
                let (low, high) = (Int(x(interval.lowerBound)), Int(x(interval.upperBound)))
                canvas.fill(x: low..<high + 1, y: Int(middle) - 1..<Int(middle) + 1)
                for end in [low, high] { canvas.fill(x: end..<end + 2, y: Int(middle) - 8..<Int(middle) + 8) }
            }
            if let mean = row.mean { canvas.dot(x: x(mean), y: middle, radius: 5) }
        }
    }

    private static func range(of rows: [Row]) -> ClosedRange<Double> {
        let values = rows.flatMap { row in
            row.points + [row.mean, row.interval?.lowerBound, row.interval?.upperBound].compactMap(\.self)
        }.filter(\.isFinite)
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        let margin = max((high - low) * 0.05, abs(high) * 0.01, 1e-6)
        return low - margin...high + margin
    }

    /// A round step that makes four to ten ticks, and the decimals that its multiples need.
    private static func step(_ length: Double) -> (step: Double, digits: Int) {
        let exponent = Int(log10(length / 10).rounded(.down))
        let unit = pow(10, Double(exponent))
        let factor = [1.0, 2, 5, 10].first { length / ($0 * unit) <= 10 } ?? 10
        return (factor * unit, max(0, factor == 10 ? -exponent - 1 : -exponent))
    }
}
