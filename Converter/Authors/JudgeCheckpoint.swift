import AudioLDM2
import Checkpoints
import Foundation
import Tokenizers

/// A published file of one network that judges sounds, seen as a checkpoint with that one component.
///
/// Which network it is is read off its keys, and its configuration off its tensors' shapes.
package struct JudgeCheckpoint: Checkpoint {
    package let name: String
    package let components: [String: CheckpointComponent]
    private let part: AuthorsPart
    private let shapes: PartShapes
    private let source: any CheckpointSource
    private let configuration: @Sendable (PartShapes) throws -> AuthorsConfigs.Config
    /// Descriptions beside the component's own, by file.
    private let files: [String: [UInt8]]
    private let floats: [String: [KeyPattern]]

    /// - Returns: nil for a file whose keys are of none of the networks.
    package init?(_ source: any CheckpointSource, name: String) throws {
        let kinds = JudgeFile.all.lazy.flatMap { file in file.part.prefixes.map { (file, $0) } }
        guard let (file, prefix) = kinds.first(where: { source.tensors[$1 + $0.part.marker] != nil }) else {
            return nil
        }
        (self.name, self.source, part) = (name, source, file.part)
        shapes = PartShapes(source: source, prefix: prefix)
        configuration = file.configuration
        files = try file.files(shapes)
        floats = file.floats
        components = [
            part.name: CheckpointComponent(name: part.name, library: "authors", className: part.className)
        ]
    }

    package var pipelineClass: String { part.className }
    package var savedWith: String? { nil }
    package func license() throws -> LicenseText? { nil }
    package func tokenizerFolder(_ component: String) -> String? { nil }

    package func floatPaths(of component: String) -> [KeyPattern] { floats[component] ?? [] }

    package func has(_ file: String) -> Bool { file == "\(part.name)/config.json" || files[file] != nil }

    package func config(_ file: String) throws -> [UInt8] {
        try files[file] ?? AuthorsConfigs.encode(configuration(shapes))
    }

    package func weights(of component: String) throws -> any CheckpointSource {
        let table = try part.keys(shapes)
        var places: [String: TranslatedSource.Place] = [:]
        for (key, header) in source.tensors where key.hasPrefix(shapes.prefix) {
            let inner = String(key.dropFirst(shapes.prefix.count))
            guard !part.ignored.contains(where: { $0.matches(inner) }) else { continue }
            for renamed in table.renamed(inner, header.shape) {
                places[renamed.key] = .init(key: key, tensor: renamed)
            }
        }
        return TranslatedSource(source, part: component, places: places)
    }
}

/// A kind of file that `JudgeCheckpoint` knows.
struct JudgeFile: Sendable {
    let part: AuthorsPart
    /// Its config.json.
    let configuration: @Sendable (PartShapes) throws -> AuthorsConfigs.Config
    /// What else a folder would hold, by name.
    var files: @Sendable (PartShapes) throws -> [String: [UInt8]] = { _ in [:] }
    /// As `Checkpoint.floatPaths`, by component: for networks that are parts of models that make sounds too, where int8 does.
    var floats: [String: [KeyPattern]] = [:]

    static let all = [vggish, cnn14, clap, musicNN, passt]

    /// harritaylor/torchvggish, `vggish-10086976.pth`.
    private static let vggish = JudgeFile(
        part: AuthorsPart(
            name: PartName.vggish, className: "VGGish", prefixes: [""], marker: "embeddings.4.bias"
        ),
        configuration: AuthorsConfigs.vggish)

    /// qiuqiangkong/audioset_tagging_cnn, `Cnn14_mAP=0.431.pth` and `Cnn14_16k_mAP=0.438.pth`.
    private static let cnn14 = JudgeFile(
        part: AuthorsPart(
            name: PartName.cnn14, className: "Cnn14", prefixes: [""], marker: "conv_block6.conv2.weight",
            // The transform as convolutions, which is computed otherwise.
            ignored: ["spectrogram_extractor.*"]
        ),
        configuration: AuthorsConfigs.cnn14)

    /// LAION-AI/CLAP, of which fused checkpoints hold more, for sounds of more than ten seconds.
    private static let clap = JudgeFile(
        part: .laionCLAP, configuration: AuthorsConfigs.clap,
        files: { shapes in
            guard shapes.has("audio_branch.patch_embed.mel_conv2d.weight") else { return [:] }
            let features = Array(try JSONEncoder().encode(CLAPFeatureConfig.publishedFused))
            return ["\(PartName.features)/preprocessor_config.json": features]
        },
        // In int8 they would make the error of 1.6 % that the last stage has, which holds most weights, one of 3.4 %.
        floats: [
            PartName.clapAudio: (0..<3).map { KeyPattern("audio_model.audio_encoder.layers.\($0).*") }
                + ["audio_projection.*"]
        ])

    /// jordipons/musicnn, as `Tests/Fixtures/Scripts/export_musicnn.py` writes its TensorFlow checkpoints.
    private static let musicNN = JudgeFile(
        part: AuthorsPart(
            name: PartName.musicNN, className: "MusicNN", prefixes: [""], marker: "frontend.timbral.0.conv.weight"
        ),
        configuration: AuthorsConfigs.musicNN)

    /// kkoutini/PaSST, `passt-s-f128-p16-s10-ap.476-swa.pt`.
    private static let passt = JudgeFile(
        part: AuthorsPart(
            name: PartName.passt, className: "PaSST", prefixes: ["", "net."], marker: "time_new_pos_embed"
        ),
        configuration: AuthorsConfigs.passt)
}
