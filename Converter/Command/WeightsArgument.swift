import ArgumentParser
import AudioLDM2Converter
import Terminal

/// `--weights`: a preset for all components, presets for single ones (`unet=int8`), or both, with commas between.
struct WeightsArgument: ExpressibleByArgument {
    var preset = WeightPreset.int8
    var byComponent: [String: WeightPreset] = [:]

    init() {}

    init?(argument: String) {
        for item in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let last = pair.last, let preset = WeightPreset(rawValue: last) else { return nil }
            if pair.count == 1 {
                self.preset = preset
            } else {
                guard !pair[0].isEmpty, byComponent.updateValue(preset, forKey: pair[0]) == nil else { return nil }
            }
        }
    }

    var defaultValueDescription: String { preset.rawValue }
}

/// `FILE[=SCALE]`.
struct LoRAArgument: Sendable {
    let path: String
    let scale: Double

    /// - Throws: `ValidationError`.
    @Sendable init(text: String) throws {
        let text = plainText(text)
        guard let mark = text.lastIndex(of: "="), let scale = Double(text[text.index(after: mark)...]) else {
            (path, scale) = (text, 1)
            return
        }
        guard scale.isFinite else { throw ValidationError("a scale is a number, such as 0.8.") }
        (path, self.scale) = (String(text[..<mark]), scale)
    }
}

/// `NAME=FOLDER`.
struct ComponentArgument: ExpressibleByArgument {
    let name: String
    let folder: String

    init?(argument: String) {
        let pair = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard pair.count == 2 else { return nil }
        (name, folder) = (pair[0], pair[1])
    }
}
