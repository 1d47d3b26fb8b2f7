import AudioLDM2Converter
import Terminal

/// A checkpoint's description for people.
extension CheckpointDescription {
    var table: String {
        let rows = components.map { component in
            let types = component.types.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            return [
                component.name, component.className, millions(component.parameters), megabytes(component.bytes), types,
            ]
        }
        var lines = ["\(name): \(kind)", ""]
        lines += aligned([["component", "class", "parameters", "size", "tensors"]] + rows, leading: [0, 1, 4])
        lines += ["", "tokenizers: " + (tokenizers.isEmpty ? "none" : tokenizers.joined(separator: ", "))]
        if let hasAverage { lines.append("moving average of the UNet (--ema): \(hasAverage ? "yes" : "no")") }
        if copies + ignored > 0 { lines.append("not needed: \(copies) copies, \(ignored) other tensors") }
        if !unknown.isEmpty { lines.append("unknown: \(unknown.prefix(8).joined(separator: ", "))") }
        if !missing.isEmpty { lines += ["", "missing"] + missing.map { "  \($0)" } }
        return lines.joined(separator: "\n")
    }
}
