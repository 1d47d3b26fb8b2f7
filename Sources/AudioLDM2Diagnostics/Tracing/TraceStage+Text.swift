import AudioLDM2
import Tensors

extension TraceStage {
    /// Text tokens to CLAP's embedding.
    static func clapText(_ model: Model) -> TraceStage? {
        guard let config = model.clapConfig else { return nil }
        let (ids, mask) = ("clap.text.ids", "clap.text.mask")
        return TraceStage(
            inputs: [
                TraceInput(ids, ["B", "n"], .ids(below: config.textConfig.vocabSize)),
                TraceInput(mask, ["B", "n"], .mask, isRequired: false),
            ],
            outputs: ["clap.text"]
        ) { values, context in
            try context.with(CLAPTextEncoder.self, config) { encoder in
                try values.perSample(of: ids) { sample in
                    let tokens = try values.integers(ids, of: sample)
                    // The encoder reads no padding. Without a mask, it is told by its id, as the tokenizer makes it.
                    let padding = config.textConfig.padTokenId
                    let isToken = try values[mask].map { _ in try values.integers(mask, of: sample).map { $0 == 1 }
                    }
                    let count = zip(tokens, isToken ?? tokens.map { $0 != padding }).prefix { $1 }.count
                    guard (1...config.maxTokens).contains(count),
                        isToken?.dropFirst(count).contains(true) != true
                    else {
                        throw AudioLDM2Error(
                            .invalidOption,
                            "'\(ids)', '\(mask)': expected 1 to \(config.maxTokens) tokens, then only padding")
                    }
                    return try encoder(Array(tokens.prefix(count)), on: values.backend)
                }
            }
        }
    }

    /// Text tokens to FLAN-T5's states, or phonemes to the phoneme encoder's.
    static func states(_ model: Model) -> TraceStage? {
        guard let config = model.secondConfig else { return nil }
        let name =
            switch config {
            case .t5: "t5"
            case .phonemes: "phoneme"
            }
        let (ids, mask) = ("\(name).ids", "\(name).mask")
        return TraceStage(
            inputs: [
                TraceInput(ids, ["B", "n"], .ids(below: config.vocabSize)),
                TraceInput(mask, ["B", "n"], .mask, isRequired: false),
            ],
            outputs: ["\(name).hidden"]
        ) { values, context in
            try context.with(
                PartName.second, { try config.encoder($0) },
                { encoder in
                    try values.perSample(of: ids) { sample in
                        let tokens = try values.integers(ids, of: sample)
                        return try encoder(
                            [tokens], masks: [values.mask(mask, of: sample, count: tokens.count)], on: values.backend)
                    }
                })
        }
    }

    /// The projected sequence to the language of audio.
    static func languageModel(_ model: Model) -> TraceStage? {
        guard let config = model.languageModelConfig else { return nil }
        let (input, mask) = ("loa.input", "loa.mask")
        return TraceStage(
            inputs: [
                TraceInput(input, ["B", "n", .fixed(config.nEmbd)]),
                TraceInput(mask, ["B", "n"], .mask, isRequired: false),
            ],
            outputs: ["loa.output"]
        ) { values, context in
            let sequences = try values.tensor(input)
            return try context.with(GPT2.self, config) { languageModel in
                try values.perSample(of: input) { sample in
                    try languageModel.generate(
                        from: sequences.outermost(sample..<sample + 1),
                        masks: [values.mask(mask, of: sample, count: sequences.shape[1])], count: config.newTokens)
                }
            }
        }
    }
}
