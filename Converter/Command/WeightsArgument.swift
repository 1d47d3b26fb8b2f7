import ArgumentParser
import AudioLDM2Converter

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
