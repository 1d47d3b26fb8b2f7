import AudioLDM2
import Checkpoints
import Tensors
import Tokenizers

/// One of the authors' files (`audioldm2-full.pth`, `audioldm-s-full.ckpt`), seen as the folder that diffusers would save.
///
/// Which components it holds is read off its keys, and their configurations off its tensors' shapes.
package struct AuthorsCheckpoint: Checkpoint {
    package let name: String
    package let components: [String: CheckpointComponent]
    package let kind: Kind
    private let source: any CheckpointSource
    private let settings: AuthorsSettings
    private let parts: [String: Found]
    package let usage: [String: KeyUse]

    /// What the file was trained to do.
    package enum Kind: String, Sendable {
        case audioLDM2 = "AudioLDM 2"
        case speech = "AudioLDM 2, text to speech"
        case crossAttention = "AudioLDM 2, FLAN-T5 alone"
        case film = "AudioLDM 2, CLAP alone"
        case audioLDM1 = "AudioLDM 1"
    }

    /// What becomes of one tensor of the file.
    package enum KeyUse: Sendable, Equatable {
        case component(String)
        /// Another copy of a component's tensor.
        case copy(of: String)
        case ignored
        case unknown
    }

    /// A component that the file holds.
    private struct Found: Sendable {
        let part: AuthorsPart
        let shapes: PartShapes
        let places: [String: TranslatedSource.Place]
    }

    /// - Parameters:
    ///   - usesAverage: reads the UNet's moving average (EMA) instead of its weights.
    /// - Throws: `CheckpointError` if this is no file of the authors', or of an unknown structure.
    package init(_ source: any CheckpointSource, name: String, settings: AuthorsSettings, usesAverage: Bool) throws {
        (self.source, self.name, self.settings) = (source, name, settings)
        let claims = AuthorsPart.all.flatMap { part in
            part.prefixes.filter { source.tensors[$0 + part.marker] != nil }.enumerated().map {
                (part: part, prefix: $1, isCopy: $0 > 0)
            }
        }.sorted { $0.prefix.count > $1.prefix.count }
        guard claims.contains(where: { $0.part.name == PartName.unet }) else {
            throw CheckpointError.missing(
                path: "the UNet of \(source.name) (model.diffusion_model.*)",
                remedy:
                    "give a file of the authors' models, of a network that judges (VGGish, Cnn14, PaSST, LAION's CLAP), or a "
                    + "folder in the diffusers layout")
        }
        var tables: [String: KeyTable] = [:]
        for claim in claims where !claim.isCopy {
            tables[claim.prefix] = try claim.part.keys(PartShapes(source: source, prefix: claim.prefix))
        }
        var places: [String: [String: TranslatedSource.Place]] = [:]
        var usage: [String: KeyUse] = [:]
        for (key, header) in source.tensors {
            // Every claim's prefix is tried before shorter ones.
            guard let claim = claims.first(where: { key.hasPrefix($0.prefix) && $0.part.holds(key, $0.prefix) }) else {
                usage[key] = AuthorsPart.ignored.contains { $0.matches(key) } ? .ignored : .unknown
                continue
            }
            let inner = String(key.dropFirst(claim.prefix.count))
            if claim.isCopy {
                usage[key] = .copy(of: claim.part.name)
            } else if let table = tables[claim.prefix], !claim.part.ignored.contains(where: { $0.matches(inner) }) {
                usage[key] = .component(claim.part.name)
                for renamed in table.renamed(inner, header.shape) {
                    places[claim.part.name, default: [:]][renamed.key] = .init(key: key, tensor: renamed)
                }
            } else {
                usage[key] = .ignored
            }
        }
        if usesAverage { try Self.takeAverage(of: source, &places, &usage) }
        self.usage = usage
        var parts: [String: Found] = [:]
        for claim in claims where !claim.isCopy {
            parts[claim.part.name] = Found(
                part: claim.part, shapes: PartShapes(source: source, prefix: claim.prefix),
                places: places[claim.part.name] ?? [:])
        }
        self.parts = parts
        kind = try Self.kind(parts)
        components = Self.components(parts, kind: kind)
    }

    /// Puts the averages of the UNet's tensors, whose keys have lost their dots, in the place of its weights.
    private static func takeAverage(
        of source: any CheckpointSource, _ places: inout [String: [String: TranslatedSource.Place]],
        _ usage: inout [String: KeyUse]
    ) throws {
        for (key, place) in places[PartName.unet] ?? [:] {
            let plain = place.key.dropFirst("model.".count)
            let average = "model_ema." + plain.filter { $0 != "." }
            guard let header = source.tensors[average], header.shape == source.tensors[place.key]?.shape else {
                throw CheckpointError.missing(
                    path: "\(source.name): tensor \(average.quoted)",
                    remedy: "the file has no moving average of that tensor; convert it without --ema")
            }
            usage[place.key] = .copy(of: PartName.unet)
            usage[average] = .component(PartName.unet)
            places[PartName.unet]?[key] = .init(key: average, tensor: place.tensor)
        }
    }

    private static func kind(_ parts: [String: Found]) throws -> Kind {
        guard let found = parts[PartName.unet] else { return .audioLDM2 }
        let unet = try UNetStructure(found.shapes)
        let contexts = unet.contextWidths.compactMap(\.self)
        if unet.filmWidth != nil { return unet.transformerCount == 1 ? .audioLDM1 : .film }
        if contexts.count > 1 { return .audioLDM2 }
        return parts[PartName.languageModel] != nil || parts[PartName.second]?.part.className == "VitsModel"
            ? .speech : .crossAttention
    }

    private static func components(_ parts: [String: Found], kind: Kind) -> [String: CheckpointComponent] {
        var components: [String: CheckpointComponent] = [
            "scheduler": CheckpointComponent(name: "scheduler", library: "diffusers", className: "DDIMScheduler")
        ]
        for (name, found) in parts {
            let isPlain = kind == .audioLDM1 && name == PartName.unet
            components[name] = CheckpointComponent(
                name: name, library: "authors",
                className: isPlain ? "UNet2DConditionModel" : found.part.className)
        }
        if kind == .speech {
            components[PartName.tokenizer2] = CheckpointComponent(
                name: PartName.tokenizer2, library: "authors", className: "VitsTokenizer")
        }
        return components
    }

    /// diffusers has no class for the model that reads nothing but FLAN-T5.
    static let crossAttentionPipeline = "LatentDiffusion (FLAN-T5)"

    package var pipelineClass: String {
        switch kind {
        case .audioLDM2, .speech: "AudioLDM2Pipeline"
        case .crossAttention: Self.crossAttentionPipeline
        case .film, .audioLDM1: "AudioLDMPipeline"
        }
    }
    package var savedWith: String? { nil }
    package var profile: ReferenceProfile? { .authors }
    package func license() throws -> LicenseText? { nil }
    package func tokenizerFolder(_ component: String) -> String? { nil }

    /// As it stands in the authors' code.
    package func tokenLimit(_ kind: TokenizerKind) -> Int? {
        switch kind {
        case .roberta: 512
        case .t5: 128
        case .vits: 310
        }
    }

    /// Whether a moving average of the UNet is there.
    package var hasAverage: Bool { source.tensors["model_ema.decay"] != nil }

    package func weights(of component: String) throws -> any CheckpointSource {
        guard let found = parts[component] else {
            throw CheckpointError.missing(
                path: "\(name): \(component)", remedy: "add it: --component \(component)=FOLDER")
        }
        return TranslatedSource(source, part: component, places: found.places)
    }

    package func has(_ file: String) -> Bool {
        file.split(separator: "/").first.map { components[String($0)] != nil } ?? false
    }

    /// - Parameter file: `COMPONENT/config.json`, or the scheduler's.
    package func config(_ file: String) throws -> [UInt8] {
        let component = file.split(separator: "/").first.map(String.init) ?? file
        return try AuthorsConfigs.encode(configuration(of: component))
    }

    private func configuration(of component: String) throws -> AuthorsConfigs.Config {
        if component == "scheduler" { return AuthorsConfigs.scheduler(settings) }
        guard let found = parts[component] else {
            throw CheckpointError.missing(
                path: "\(name): \(component)", remedy: "add it: --component \(component)=FOLDER")
        }
        let shapes = found.shapes
        switch found.part.className {
        case "ClapModel": return try AuthorsConfigs.clap(shapes)
        case "T5EncoderModel": return try AuthorsConfigs.t5(shapes)
        case "VitsModel": return try AuthorsConfigs.phonemes(shapes)
        case "AudioLDM2ProjectionModel": return try AuthorsConfigs.projection(shapes)
        case "GPT2Model":
            return try AuthorsConfigs.gpt2(shapes, newTokens: settings.languageLength ?? (kind == .speech ? 512 : 8))
        case "AutoencoderKL": return try AuthorsConfigs.autoencoder(shapes, scalingFactor: scalingFactor())
        case "SpeechT5HifiGan": return try AuthorsConfigs.vocoder(shapes, samplingRate: settings.samplingRate)
        case "AudioMAE":
            let pool = kind == .speech ? 1 : 8
            return try AuthorsConfigs.audioMAE(
                shapes, poolTime: settings.poolTime ?? pool, poolFrequency: settings.poolFrequency ?? pool)
        default: return try unet(UNetStructure(shapes))
        }
    }

    private func unet(_ structure: UNetStructure) throws -> AuthorsConfigs.Config {
        if let channels = settings.modelChannels, channels != structure.modelChannels {
            throw CheckpointError.invalidField(
                file: "the configuration", field: "model_channels",
                reason:
                    "is \(channels), but the UNet of \(name) has \(structure.modelChannels): give its own configuration"
            )
        }
        // Spectrograms of 10.24 s have 1024 frames; each level of the autoencoder but the first halves them.
        let levels =
            parts[PartName.vae].map { vae in vae.shapes.count { "decoder.up.\($0).block.0.norm1.weight" } } ?? 3
        // Of all models only the large one of AudioLDM 1 is so wide, and has wider heads.
        let headWidth = kind == .audioLDM1 && structure.modelChannels == 256 ? 64 : 32
        return try AuthorsConfigs.unet(
            structure, headWidth: settings.headWidth ?? headWidth,
            frames: settings.latentFrames ?? 1024 >> min(max(levels - 1, 0), 10))
    }

    /// What latents were divided by, as training measured it.
    private func scalingFactor() throws -> Float {
        guard let header = source.tensors["scale_factor"], header.shape.count == 1 else {
            throw CheckpointError.noSuchTensor(file: source.name, tensor: "scale_factor")
        }
        return try source.open("scale_factor").readAll()[0]
    }
}

extension AuthorsPart {
    /// Whether a key with one of its prefixes is this part's.
    fileprivate func holds(_ key: String, _ prefix: String) -> Bool {
        guard let only else { return true }
        let inner = String(key.dropFirst(prefix.count))
        return only.contains { $0.matches(inner) }
    }
}
