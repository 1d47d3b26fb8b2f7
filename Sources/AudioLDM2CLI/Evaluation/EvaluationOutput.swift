import Audio
import Evaluation
import Glibc
import Text

/// A report for people.
struct EvaluationTable {
    private let report: EvaluationReport

    init(_ report: EvaluationReport) { self.report = report }

    var text: String {
        var lines = ["judge: \(report.judge.name) (\(report.judge.hash))", report.preparation]
        for (name, set) in [("generated", report.generated), ("reference", report.reference)] {
            guard let set else { continue }
            lines.append("\(name): \(set.path), \(set.files) sounds, \(set.embeddings) embeddings")
        }
        lines.append("")
        let width = report.figures.map(\.metric.title.count).max() ?? 0
        for figure in report.figures {
            let name = figure.metric.title.padded(to: width)
            lines.append("\(name)  \(Self.value(figure))  (\(figure.count) \(figure.counted))")
        }
        return lines.joined(separator: "\n")
    }

    private static func value(_ figure: EvaluationReport.Figure) -> String {
        var text = number(figure.value)
        if let error = figure.standardError { text += " ± \(number(error)) (standard error)" }
        if let interval = figure.interval { text += " [\(number(interval.low)), \(number(interval.high))]" }
        if let deviation = figure.deviation { text += " (deviation \(number(deviation)))" }
        if let slope = figure.slope, let fit = figure.rSquared {
            text += " (line: \(number(slope)) / n, R² \(number(fit)))"
        }
        if let note = figure.note { text += " (\(note))" }
        return text
    }

    private static func number(_ value: Double) -> String { String(printf: "%.5g", value) }
}

/// The single sounds' figures as a picture: a strip of dots for each.
struct EvaluationPlot {
    private let chart: IntervalChart

    init(_ report: EvaluationReport) {
        let metrics: [(title: String, value: (EvaluationReport.File) -> Double?)] = [
            ("Frechet distance of each sound", { $0.frechetDistance }), ("KL (softmax) of each pair", { $0.klSoftmax }),
            ("CLAP score of each sound", { $0.clapScore }),
            ("Log-spectral distance of each pair", { $0.logSpectralDistance }),
        ]
        chart = IntervalChart(
            metrics.compactMap { title, value in
                let values = report.files.compactMap(value)
                guard !values.isEmpty else { return nil }
                let interval = Bootstrap.interval(ofMean: values).map { $0.low...$0.high }
                return .init(
                    title: title,
                    rows: [
                        .init(
                            label: "\(values.count) sounds", points: values,
                            mean: values.reduce(0, +) / Double(values.count), interval: interval)
                    ])
            })
    }

    /// - Throws: an error that names the file.
    func write(to path: String) throws { try chart.write(to: path) }
}
