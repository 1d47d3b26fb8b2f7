import AudioLDM2Converter
import Terminal
import Text

/// A conversion's summary for people.
extension ConversionSummary {
    /// Components, the weights that lost most, and what came out at `output`.
    func table(output: String) -> String {
        let rows = components.map { component in
            [
                component.name, millions(component.parameters), megabytes(component.storedBytes),
                String(printf: "%.1f×", component.ratio), component.formats,
            ]
        }
        let worst = components.flatMap { component in
            component.worst.map { weight in
                [
                    String(printf: "%.2f %%", 100 * weight.relativeError), weight.format,
                    "\(component.name).\(weight.name)",
                ]
            }
        }
        var lines = aligned([["component", "parameters", "stored", "smaller", "formats"]] + rows, leading: [0, 4])
        if !worst.isEmpty { lines += ["", "largest relative errors"] + aligned(worst, leading: [1, 2]) }
        if let calibration { lines += ["", calibration.description] }
        let license = license.map { "licence \($0)" } ?? "no licence found"
        if !missing.isEmpty { lines += ["", "missing"] + missing.map { "  \($0)" } }
        lines += ["", "\(output): \(megabytes(fileBytes)), \(millions(parameters)) parameters, \(license)"]
        return lines.joined(separator: "\n")
    }
}

extension ConversionSummary.Component {
    /// Shares of the parameters, the largest first.
    fileprivate var formats: String {
        parametersByFormat.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) " + String(printf: "%.1f %%", 100 * Double($0.value) / Double(max(parameters, 1))) }
            .joined(separator: ", ")
    }
}
