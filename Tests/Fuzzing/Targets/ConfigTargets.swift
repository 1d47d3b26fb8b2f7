import AudioLDM2
import Diffusion
import FoundationEssentials

/// Configurations: a line that names what is configured, then JSON.
extension FuzzTarget {
    static let configurations = [
        FuzzTarget("config", "a network's configuration, and the weights that it asks for", dictionary: "config") {
            input in
            let line = input.bytes.prefix { $0 != UInt8(ascii: "\n") }
            let name = String(decoding: line, as: UTF8.self)
            try configure(name, Data(input.bytes.dropFirst(line.count)))
        },
        FuzzTarget("condition", "a saved condition (.cond)", dictionary: "safetensors") { input in
            let condition = try SoundCondition(contentsOf: input.file())
            try condition.write(to: Scratch.shared.path + "/again")
            let again = try SoundCondition(contentsOf: Scratch.shared.path + "/again")
            mustHold(again == condition, "what was written is not what was read")
        },
    ]

    private static func configure(_ name: String, _ json: Data) throws {
        switch name {
        case "scheduler":
            let config: SchedulerConfig = try decodeConfig(json, component: name)
            for kind in SchedulerKind.allCases {
                for steps in [1, 10] {
                    let input = FuzzInput([])
                    try input.attempt { _ = try makeScheduler(kind, config: config, steps: steps) }
                }
            }
        case "generation_config":
            let defaults = try ModelDefaults(reading: json)
            let again = try ModelDefaults(reading: defaults.encoded())
            mustHold(again == defaults, "what was written is not what was read")
        case "vocabulary":
            let vocabulary = try PromptVocabulary(decoding: json)
            _ = vocabulary.note(on: "two angry dogs barked at the meowing woman, \"hello\"")
        case "mel": _ = MelFrontEnd(try MelConfig.read(json, component: name))
        case "feature_extractor": _ = CLAPFeatures(try CLAPFeatureConfig.read(json, component: name))
        case "record": _ = try? JSONDecoder().decode(SoundRecord.self, from: json)
        case "calibration": _ = (try? CalibrationReport(decoding: json))?.description
        default: _ = try Components.named(name)?.requirements(config: json, component: name)
        }
    }
}
