import AudioLDM2
import Diffusion
import FoundationEssentials
import TestSupport
import Tokenizers
import WeightFile

/// Packs: as they are, with checksums mended so that what lies behind them is reached, and the models in them.
extension FuzzTarget {
    static let packs = [
        FuzzTarget("pack", "a pack (.aldm), its chunks and checksums", longest: 8192) { input in
            try readPack(input, input.bytes)
        },
        FuzzTarget("pack-mended", "a pack's index, with right checksums and bytes for all that it names") { input in
            try readPack(input, MendedPack.encoded(input.bytes))
        },
        FuzzTarget("model", "a model file's configurations, tokenizers and notes", longest: 16384, dictionary: "config")
        {
            try readModel($0)
        },
    ]

    /// The pack that is made of an input of `pack-mended`.
    package static func wholePack(_ input: [UInt8]) -> [UInt8] { MendedPack.encoded(input) }

    /// More than this is not decompressed: what it takes is what it says.
    private static let largestContents = 4 << 20

    private static func readPack(_ input: FuzzInput, _ bytes: [UInt8]) throws {
        let pack = try Pack(opening: input.file(bytes, named: "input.aldm"))
        let contents =
            pack.components.flatMap(\.tensors).reduce(0) { $0 + $1.byteCount }
            + pack.blobs.reduce(0) { $0 + $1.byteCount }
        guard contents <= largestContents else { return }
        input.declare(3 * contents)
        try input.attempt { try pack.check(threads: 1) }
        for blob in pack.blobs { try input.attempt { _ = try pack.blob(blob.name) } }
        for component in pack.components {
            try input.attempt {
                let source = try PackSource(pack, component: component.name, backend: HostBackend(), threads: 1)
                for tensor in component.tensors {
                    let requirement = WeightRequirement(
                        path: tensor.name, role: tensor.description.role, precision: .float)
                    let bytes = try (source.weight(requirement) as? HeldWeight)?.bytes()
                    mustHold(bytes?.count == tensor.byteCount, "a weight of another size")
                }
            }
        }
    }

    private static func readModel(_ input: FuzzInput) throws {
        let path = try input.file(ModelRecipe.encoded(input.sections), named: "input.aldm")
        try input.attempt { _ = try ModelInspection(modelAt: path) }
        let file = try ModelFile(opening: path)
        for name in [PartName.tokenizer, PartName.tokenizer2] {
            try input.attempt { try TokenizerCheck.encode(by: file.tokenizer(name)) }
        }
        try input.attempt { _ = MelFrontEnd(try file.melConfig()) }
        try input.attempt { _ = CLAPFeatures(try file.clapFeatureConfig()) }
        try input.attempt { _ = try file.clapAudioConfig() }
        try input.attempt { _ = try file.audioMAEConfig() }
        _ = file.vocabulary?.note(on: "a dog barks at 7 cars")
        let model = try Model(file)
        for seconds in [0.1, model.defaultSeconds, SoundOptions.secondsRange.upperBound] {
            try input.attempt { _ = try ClipLength(seconds: seconds, loops: seconds < 1, model: model) }
        }
        for kind in SchedulerKind.allCases {
            let steps = min(12, model.configs.schedulerConfig.trainSteps)
            try input.attempt { _ = try makeScheduler(kind, config: model.configs.schedulerConfig, steps: steps) }
        }
        try input.attempt { _ = try model.configs.schedulerNote(profile: model.profile) }
    }
}
