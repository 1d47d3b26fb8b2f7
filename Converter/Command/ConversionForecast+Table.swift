import AudioLDM2Converter
import Terminal

/// What a conversion would write, for people.
extension ConversionForecast {
    var table: String {
        let presets = WeightPreset.allCases
        let head = ["component", "parameters", "checkpoint"] + presets.map(\.rawValue) + ["as asked", ""]
        let rows = components.map { component in
            [component.name, millions(component.parameters), megabytes(component.checkpointBytes)]
                + presets.map { megabytes(component.bytesByPreset[$0.rawValue] ?? 0) }
                + [megabytes(component.bytes), component.preset]
        }
        let total =
            ["all", millions(parameters), megabytes(components.reduce(0) { $0 + $1.checkpointBytes })]
            + presets.map { megabytes(bytes(with: $0)) } + [megabytes(bytes), ""]
        var lines = ["\(source): sizes of weights before compression; int8 where nothing has to be dearer", ""]
        lines += aligned([head] + rows + [total], leading: [0, head.count - 1])
        if !missing.isEmpty { lines += ["", "missing"] + missing.map { "  \($0)" } }
        return lines.joined(separator: "\n")
    }
}
