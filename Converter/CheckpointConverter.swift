import AudioLDM2
import Checkpoints
import Diffusion
import Files
import FoundationEssentials
import Platform
import Tensors
import Tokenizers
import WeightFile

/// How far a conversion is.
package struct ConversionProgress: Sendable, Equatable {
    package enum Activity: String, Sendable {
        case calibrating, converting
    }

    package var activity = Activity.converting
    /// Being worked on.
    package let component: String
    /// Bytes of the checkpoint's weights.
    package let bytesDone: Int
    package let bytesTotal: Int
}

/// Makes a pack from a checkpoint, one weight at a time.
package struct CheckpointConverter: Sendable {
    /// Recorded in every pack. Raise it with anything that changes what is written.
    package static let version = "3"

    private let checkpoint: any Checkpoint
    private let options: ConversionOptions
    private let license: LicenseText?
    let components: [Component]
    private let tokenizers: [(name: String, definition: TokenizerDefinition)]
    /// Tokenizers that the checkpoint lacks, and what cannot be done without them.
    private(set) var missing: [String]
    /// Whether all tokenizers are there that its text encoders need.
    private let readsTexts: Bool
    /// Nil for what makes no sounds.
    private let scheduler: Data?
    /// How sounds are made unless told otherwise; nil if nothing says so.
    private let defaults: ModelDefaults?
    /// Descriptions of what components hear, by name.
    private let frontEnds: [(name: String, json: Data)]
    /// What it was trained on, if the checkpoint says.
    private let vocabulary: Data?

    /// A component whose checkpoint has been found to hold what its model needs.
    struct Component {
        let name: String
        let className: String
        let config: Data
        let requirements: [WeightRequirement]
        /// Nil for a part of which only the configuration is kept.
        let weights: MappedComponent?
    }

    /// Reads everything but the weights' numbers, so that a checkpoint which does not fit fails before work begins.
    /// - Throws: `CheckpointError`, `MappingError`, `ConfigError`, `TokenizerError`, `SchedulerError`, `PackError`.
    package init(_ checkpoint: any Checkpoint, _ options: ConversionOptions) throws {
        self.checkpoint = checkpoint
        self.options = options
        let layout = try CheckpointLayout.of(checkpoint)
        if !layout.makesSounds { try options.requireNothingOfSounds(for: checkpoint.name) }
        license = try options.license ?? checkpoint.license()
        let adapted = try AdaptedComponents(
            options.adapters,
            options.adapters.isEmpty
                ? []
                : (layout.models + layout.extras).compactMap { part in
                    try part.weights(in: checkpoint).map { (part.folder, $0) }
                })
        components =
            try layout.models.compactMap { part in
                guard options.without.contains(part.name) else {
                    return try Self.component(part, in: checkpoint, adapted)
                }
                return part.isOptional ? nil : try Self.omitted(part, in: checkpoint)
            }
            + layout.extras.filter { !options.without.contains($0.name) }
            .compactMap { try Self.component($0, in: checkpoint, adapted) }
        let names = components.filter { $0.weights != nil }.map(\.name)
        if let unknown = options.componentWeights.keys.filter({ !names.contains($0) }).min() {
            throw CheckpointError.missing(
                path: "the component \(unknown.quoted) that --weights names",
                remedy: "choose from \(names.joined(separator: ", "))")
        }
        let unused = options.without.compactMap { PartName.tokenizers[$0] }
        let wanted = layout.tokenizers(of: checkpoint).filter { !unused.contains($0) }
        missing = wanted.filter { checkpoint.components[$0] == nil }.map(layout.withoutTokenizer)
        readsTexts = missing.isEmpty
        tokenizers = try wanted.filter { checkpoint.components[$0] != nil }
            .map { ($0, try Self.tokenizer($0, in: checkpoint)) }
        scheduler =
            try layout.makesSounds
            ? Data(checkpoint.config("\(PartName.scheduler)/scheduler_config.json")) : nil
        frontEnds = try Self.frontEnds(of: components.map(\.name), in: checkpoint)
        var defaults = try checkpoint.defaults()
        if let vocoder = options.vocoder {
            defaults = defaults ?? ModelDefaults()
            defaults?.vocoder = vocoder
        }
        self.defaults = defaults
        vocabulary = try Self.vocabulary(in: checkpoint)
        if let configs = try checkAgreement() {
            let profile = options.profile ?? checkpoint.profile
            if let note = try configs.schedulerNote(profile: profile) { missing.append(note) }
        }
    }

    var sourceName: String { checkpoint.name }

    /// How a component's weights are to be stored.
    func preset(of component: String) -> WeightPreset { options.componentWeights[component] ?? options.weights }

    /// Class and configuration of every component, by name.
    private var parts: [String: PackIndex.Component] {
        let parts = components.map {
            ($0.name, PackIndex.Component(name: $0.name, className: $0.className, config: $0.config))
        }
        return Dictionary(uniqueKeysWithValues: parts)
    }

    /// What a model file is asked when it is opened is asked here, before there is one.
    /// - Returns: nil for what makes no sounds.
    private func checkAgreement() throws -> ModelConfigs? {
        guard let scheduler else {
            let clap = try parts[PartName.clap].map { try CLAPConfig.read($0.config, component: $0.name) }
            for (name, definition) in tokenizers {
                try ModelConfigs.check(definition, named: name, clap: clap, second: nil)
            }
            return nil
        }
        let configs = try ModelConfigs(parts, scheduler: scheduler, source: checkpoint.name)
        for (name, definition) in tokenizers { try configs.check(definition, named: name) }
        try configs.checkMagnitudes(MelConfig(for: configs.vocoderConfig))
        return configs
    }

    /// - Returns: nil for a part that can be missing and is.
    private static func component(
        _ part: CheckpointPart, in checkpoint: any Checkpoint, _ adapted: AdaptedComponents
    ) throws -> Component? {
        guard let source = try part.weights(in: checkpoint) else { return nil }
        let className = try part.className(in: checkpoint)
        let file = "\(part.folder)/config.json"
        let config = Data(try checkpoint.config(file))
        let modelName = part.modelName(className)
        guard let network = Components.named(modelName) else {
            throw MappingError.unknownClass(file: part.folder, className: className)
        }
        let requirements = try network.requirements(config: config, component: checkpoint.place(of: file))
        let roles = Dictionary(uniqueKeysWithValues: requirements.map { ($0.path, $0.role) })
        return Component(
            name: part.name, className: className, config: config, requirements: requirements,
            weights: try MappedComponent(
                modelName, weights: roles,
                source: adapted.applied(to: source, of: part.folder, modelName: modelName)))
    }

    /// A part that is left out: what other parts have to agree with stays.
    private static func omitted(_ part: CheckpointPart, in checkpoint: any Checkpoint) throws -> Component {
        Component(
            name: part.name, className: try part.className(in: checkpoint),
            config: Data(try checkpoint.config("\(part.folder)/config.json")), requirements: [], weights: nil)
    }

    /// The spectrogram between VAE and vocoder, which only the vocoder's config tells something of, and CLAP's features.
    private static func frontEnds(of names: [String], in checkpoint: any Checkpoint) throws -> [(
        name: String, json: Data
    )] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var frontEnds: [(name: String, json: Data)] = []
        let vocoder = PartName.vocoder
        if names.contains(vocoder) {
            let file = "\(vocoder)/config.json"
            let mel = MelConfig(
                for: try .read(Data(checkpoint.config(file)), component: checkpoint.place(of: file)))
            frontEnds.append((PartName.mel, try encoder.encode(mel)))
        }
        if names.contains(PartName.clapAudio) {
            let (name, file) = (PartName.features, "\(PartName.features)/preprocessor_config.json")
            let config =
                try checkpoint.has(file)
                ? .read(Data(checkpoint.config(file)), component: checkpoint.place(of: file))
                : CLAPFeatureConfig.published
            frontEnds.append((name, try encoder.encode(config)))
        }
        return frontEnds
    }

    private static func vocabulary(in checkpoint: any Checkpoint) throws -> Data? {
        let file = PromptVocabulary.fileName
        guard checkpoint.has(file) else { return nil }
        let json = Data(try checkpoint.config(file))
        do {
            _ = try PromptVocabulary(decoding: json)
        } catch let error as VocabularyError {
            throw CheckpointError.malformed(file: file, reason: error.description)
        }
        return json
    }

    private static func tokenizer(_ name: String, in checkpoint: any Checkpoint) throws -> TokenizerDefinition {
        let className = try checkpoint.component(name).className
        guard let folder = checkpoint.tokenizerFolder(name) else { return .vitsSymbols }
        let url = URL(fileURLWithPath: folder)
        let kind =
            TokenizerKind.isGeneral(className) ? try TokenizerKind(folder: url) : TokenizerKind(className: className)
        guard let kind else { throw MappingError.unknownClass(file: name, className: className) }
        var definition = try TokenizerReader.read(folder: url, kind: kind)
        if let limit = checkpoint.tokenLimit(kind) { definition.maxLength = limit }
        return definition
    }

    /// Writes the pack. The same checkpoint and options write the same bytes, whatever the number of threads.
    /// - Parameter report: called after every weight, on the caller's thread; what it throws ends the work.
    /// - Throws: `PackError`, `CheckpointError`, `QuantizationError`; `CancellationError`. Then there is no new file, and
    ///   an old one at `path` is as it was.
    package func convert(to path: String, report: (ConversionProgress) throws -> Void = { _ in }) throws
        -> ConversionSummary
    {
        let calibration = try calibrate(report)
        let writer = try PackWriter(
            path: path, compression: options.compression, threads: options.threads)
        var summary = ConversionSummary(
            source: checkpoint.name, weights: options.weightsName, compression: options.compression.name,
            license: license?.name)
        let total = components.reduce(0) { $0 + ($1.weights?.byteCount ?? 0) }
        var done = 0
        for component in components {
            try writer.addComponent(name: component.name, className: component.className, config: component.config)
            guard let weights = component.weights else { continue }
            var result = ConversionSummary.Component(name: component.name, className: component.className)
            for requirement in component.requirements {
                try Task.checkCancellation()
                let plan = calibration?.plans[component.name]?[requirement.path]
                try add(requirement, of: component.name, weights, as: plan, to: writer, &result)
                done += weights.byteCount(of: requirement.path)
                try report(ConversionProgress(component: component.name, bytesDone: done, bytesTotal: total))
            }
            summary.components.append(result)
        }
        try addBlobs(to: writer)
        if let calibration { try writer.addBlob(name: CalibrationReport.blobName, calibration.report.encoded()) }
        writer.setProvenance(provenance)
        try writer.finish()
        summary.calibration = calibration?.report
        summary.missing = missing
        if options.calibration != nil, options.presets.contains(.int8), calibration == nil, scheduler != nil {
            summary.missing.append(
                "calibration: 8-bit weights are not fitted to what they read, as no text can be read")
        }
        summary.fileBytes = try InputFile(path: path, name: path).size
        return summary
    }

    /// Fits weights to what the float model reads; nil if that is not wanted.
    private func calibrate(_ report: (ConversionProgress) throws -> Void) throws -> Calibrator.Result? {
        guard let calibration = options.calibration, options.presets.contains(.int8), scheduler != nil else {
            return nil
        }
        let whole = try withEncoders()
        guard whole.readsTexts else { return nil }
        let outline = try Self.temporaryFile()
        try whole.writeOutline(to: outline)
        let presets = components.filter { $0.weights != nil }
            .map { ($0.name, preset(of: $0.name)) }
        let calibrator = try Calibrator(
            whole.components, presets: Dictionary(uniqueKeysWithValues: presets), calibration,
            threads: options.threads)
        let total = components.reduce(0) { $0 + ($1.weights?.byteCount ?? 0) }
        var done = 0
        return try withExtendedLifetime(outline) {
            try calibrator.run(outline: outline.path) { name in
                try report(
                    ConversionProgress(activity: .calibrating, component: name, bytesDone: done, bytesTotal: total))
                done += components.first { $0.name == name }?.weights?.byteCount ?? 0
            }
        }
    }

    /// The same with what reads texts, where that is left out.
    private func withEncoders() throws -> CheckpointConverter {
        let encoders = Set(PartName.textEncoders)
        guard !options.without.isDisjoint(with: encoders) else { return self }
        var whole = options
        whole.without.subtract(encoders)
        whole.componentWeights = [:]
        return try CheckpointConverter(checkpoint, whole)
    }

    private static func temporaryFile() throws -> AtomicFile {
        do {
            return try AtomicFile.temporary()
        } catch let error as FileError {
            throw AudioLDM2Error(.file, "a model's outline: cannot be kept: \(error.reason)")
        }
    }

    /// A model file that holds everything but weights.
    private func writeOutline(to file: AtomicFile) throws {
        let writer = try PackWriter(file: file, compression: .none, threads: 1)
        for component in components {
            try writer.addComponent(name: component.name, className: component.className, config: component.config)
        }
        try addBlobs(to: writer)
        try writer.finish()
    }

    private func addBlobs(to writer: PackWriter) throws {
        for (name, definition) in tokenizers { try writer.addBlob(name: name, definition.encoded()) }
        if let scheduler { try writer.addBlob(name: PartName.scheduler, scheduler) }
        for (name, json) in frontEnds { try writer.addBlob(name: name, json) }
        if let defaults { try writer.addBlob(name: ModelDefaults.blobName, defaults.encoded()) }
        if let vocabulary { try writer.addBlob(name: PartName.vocabulary, vocabulary) }
        if let text = license?.text { try writer.addBlob(name: "license", Data(text.utf8)) }
    }

    private func add(
        _ requirement: WeightRequirement, of component: String, _ weights: MappedComponent, as plan: WeightPlan?,
        to writer: PackWriter, _ result: inout ConversionSummary.Component
    ) throws {
        let policy = PrecisionPolicy(preset(of: component))
        let encoder = WeightEncoder(workers: Workers(count: options.threads))
        let rows = try weights.open(requirement.path)
        let name = weights.location(of: requirement.path)
        var weight: EncodedWeight
        var description: WeightDescription
        if let plan {
            let changed: any RowReader = plan.change.isEmpty ? rows : ChangedRows(rows: rows, change: plan.change)
            weight = try encoder.encode(changed, role: requirement.role, plan, name: name)
            description = WeightDescription(
                role: requirement.role, format: weight.format,
                activation: weight.format == plan.format ? plan.activation : .float)
        } else {
            let isFloat = checkpoint.floatPaths(of: component).contains { $0.matches(requirement.path) }
            let requirement = isFloat ? requirement.atLeastFloat : requirement
            let formats = policy.candidates(for: requirement)
            weight = try encoder.encode(rows, role: requirement.role, as: formats[0], name: name)
            for format in formats.dropFirst() where !policy.accepts(weight) {
                weight = try encoder.encode(rows, role: requirement.role, as: format, name: name)
            }
            description = policy.description(of: requirement, as: weight.format)
        }
        let stored = try weight.bytes.withUnsafeBytes {
            try writer.addTensor(component: component, name: requirement.path, description, bytes: $0)
        }
        result.add(weight, name: requirement.path, parameters: requirement.role.shape.count, storedBytes: stored)
    }

    private var provenance: [(String, String)] {
        var notes = [
            ("source", checkpoint.name), ("pipeline", checkpoint.pipelineClass), ("converter", Self.version),
            ("weights", options.weightsName), ("compression", options.compression.name),
        ]
        if options.presets.contains(.int8) { notes.append(("int8 error limit", "\(PrecisionPolicy.int8ErrorLimit)")) }
        for adapter in options.adapters { notes.append(("lora", adapter.note)) }
        if !options.without.isEmpty { notes.append(("without", options.without.sorted().joined(separator: ", "))) }
        let family = ModelFamily(recognizing: parts)
        if !family.makesSounds { notes.append((ModelFamily.note, family.name)) }
        if let profile = options.profile ?? checkpoint.profile {
            notes.append((ReferenceProfile.note, profile.rawValue))
        }
        if let savedWith = checkpoint.savedWith { notes.append(("diffusers", savedWith)) }
        if let license { notes.append(("license", license.name)) }
        return notes
    }
}

extension PackCompression {
    /// For provenance and summaries.
    var name: String {
        switch self {
        case .none: "none"
        case .zstd(let level): "zstd \(level)"
        }
    }
}
