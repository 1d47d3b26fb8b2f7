/// How the keys of one class of checkpoint component become the weights that the runtime asks for.
///
/// The runtime's paths are the reference's keys, so only differences are written down.
struct ComponentMapping: Sendable {
    /// Keys that are read in the place of others where both are there.
    var replacements: [(from: KeyPattern, to: KeyPattern)] = []
    /// Older spellings of keys, brought to the current one unless that is there too.
    var renames: [(from: KeyPattern, to: KeyPattern)] = []
    /// Elements of a path that stand for several tensors, joined along their outputs in this order.
    var fusions: [String: [String]] = [:]
    /// Matrices that the reference stores as `[inputs, outputs]`.
    var transposed: [KeyPattern] = []
    /// Vectors of which the runtime wants several copies, one after the other.
    var repeated: [KeyPattern] = []
    /// Batch norms that become part of the convolutions before them, which have no bias.
    var fusedNorms: [(convolution: KeyPattern, norm: KeyPattern)] = []
    /// What the other batch norms become.
    var normForm = FoldedBatchNorm.Form.scaleAndShift
    /// Keys that published files carry and nothing here uses.
    var leftovers: [KeyPattern] = []
}

extension ComponentMapping {
    /// The mapping for a class that `model_index.json` names, or a part of it; nil for classes that hold no weights known
    /// here.
    static func named(_ modelName: String) -> ComponentMapping? { table[modelName] }

    private static let attention = ["to_qkv": ["to_q", "to_k", "to_v"], "to_kv": ["to_k", "to_v"]]

    private static let table: [String: ComponentMapping] = [
        "ClapModel": clap,
        "ClapTextModelWithProjection": clap,
        "ClapModel.audio": ComponentMapping(
            fusions: ["qkv": ["query", "key", "value"]],
            leftovers: [
                "text_model.*", "text_projection.*", "logit_scale_*", "*.relative_position_index",
                "*.num_batches_tracked",
            ]),
        "AudioMAE": ComponentMapping(
            // As it lies in the authors' files, and by itself.
            renames: [
                ("cond_stage_models.0.cond_stage_models.2.audiomae.model.*", "*"), ("audiomae.model.*", "*"),
                ("model.*", "*"),
            ],
            leftovers: ["decoder_*", "mask_token"]),
        "T5EncoderModel": ComponentMapping(
            // The embedding is tied, and either name may have been kept; where it is not, the encoder reads its own.
            replacements: [("encoder.embed_tokens.weight", "shared.weight")],
            // Gated layers hold values first, gates second; T5's gate is wi_0.
            fusions: ["qkv": ["q", "k", "v"], "wi": ["wi_1", "wi_0"]],
            // What writes text of the encoder's states, in the whole T5.
            leftovers: ["decoder.*", "lm_head.weight"]),
        "GPT2Model": gpt2,
        "GPT2LMHeadModel": gpt2,
        "VitsModel": ComponentMapping(
            fusions: ["qkv": ["q_proj", "k_proj", "v_proj"]], transposed: ["*.emb_rel_v"],
            // What makes speech from the text encoder's states in VITS.
            leftovers: [
                "text_encoder.project.*", "decoder.*", "flow.*", "posterior_encoder.*", "duration_predictor.*",
                "embed_speaker.*",
            ]),
        "AudioLDM2ProjectionModel": ComponentMapping(transposed: ["learnable_positional_embedding"]),
        "AudioLDM2UNet2DConditionModel": ComponentMapping(fusions: attention),
        "UNet2DConditionModel": ComponentMapping(fusions: attention),
        "AutoencoderKL": autoencoder(leftovers: ["encoder.*", "quant_conv.*"]),
        "AutoencoderKL.encoder": autoencoder(leftovers: ["decoder.*", "post_quant_conv.*"]),
        "SpeechT5HifiGan": ComponentMapping(
            repeated: ["upsampler.*.bias"],
            // Statistics that only vocoders with `normalize_before` use.
            leftovers: ["mean", "scale"]),
        "MagnitudeNetwork": ComponentMapping(),
        "VGGish": ComponentMapping(),
        "Cnn14": ComponentMapping(
            fusedNorms: [("*.conv1", "*.bn1"), ("*.conv2", "*.bn2")], leftovers: ["*.num_batches_tracked"]),
        // Its norms stand behind the activations.
        "MusicNN": ComponentMapping(normForm: .meanAndDeviation),
        // The last is the head of the second token by itself, which only training used.
        "PaSST": ComponentMapping(
            transposed: ["freq_new_pos_embed", "time_new_pos_embed"], leftovers: ["head_dist.*"]),
    ]

    private static let clap = ComponentMapping(
        fusions: ["qkv": ["query", "key", "value"]],
        leftovers: [
            "audio_model.*", "audio_projection.*", "logit_scale_*", "*.position_ids", "*.token_type_ids",
        ])

    private static func autoencoder(leftovers: [KeyPattern]) -> ComponentMapping {
        ComponentMapping(
            // Attention as diffusers named it before 0.12.
            renames: [
                ("*.query.*", "*.to_q.*"), ("*.key.*", "*.to_k.*"), ("*.value.*", "*.to_v.*"),
                ("*.proj_attn.*", "*.to_out.0.*"),
            ],
            fusions: attention, leftovers: leftovers)
    }

    private static let gpt2 = ComponentMapping(
        // Saved without its language-model head, the model is the root.
        renames: [
            ("h.*", "transformer.h.*"), ("ln_f.*", "transformer.ln_f.*"), ("wpe.*", "transformer.wpe.*"),
            ("wte.*", "transformer.wte.*"),
        ],
        // transformers' Conv1D.
        transposed: ["*.c_attn.weight", "*.c_proj.weight", "*.c_fc.weight"],
        // The token table and head are not used, since vectors go in and out; the others are causal masks.
        leftovers: ["transformer.wte.weight", "lm_head.weight", "*.attn.bias", "*.attn.masked_bias"])
}
