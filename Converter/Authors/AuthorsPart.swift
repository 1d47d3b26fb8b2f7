import AudioLDM2
import Checkpoints

/// A component in the authors' files: where it lies, and how its keys become those of its class.
struct AuthorsPart: Sendable {
    let name: String
    let className: String
    /// What its keys may start with. The first that occurs is read; others hold copies.
    let prefixes: [String]
    /// A key behind the prefix that only this component has.
    let marker: String
    /// Keys behind the prefix that nothing here uses.
    var ignored: [KeyPattern] = []
    /// The only keys behind the prefix that are its, where others share the prefix.
    var only: [KeyPattern]?
    /// How they become those of its class; by default they are those.
    var keys: @Sendable (PartShapes) throws -> KeyTable = { _ in KeyTable() }

    /// In the order in which they work.
    static let all = [clap, t5, phonemes, projection, gpt2, unet, autoencoder, vocoder, audioMAE]

    /// Keys outside of every component.
    static let ignored: [KeyPattern] = [
        // The noise schedule follows from its configuration.
        "betas", "alphas_cumprod*", "sqrt_*", "log_one_minus_alphas_cumprod", "posterior_*", "logvar", "scale_factor",
        // Training's moving average, unless it is asked for.
        "model_ema.*",
        // CLAP's features, and losses, which are computed otherwise.
        "clap.mel_transform.*", "cond_stage_model.mel_transform.*", "cond_stage_models.*.mel_transform.*",
        "first_stage_model.loss.*",
    ]

    private static let clap = AuthorsPart(
        name: PartName.clap, className: "ClapModel",
        prefixes: [
            "clap.model.", "cond_stage_models.0.cond_stage_models.0.model.", "cond_stage_models.0.model.",
            "cond_stage_model.model.",
        ],
        marker: "text_branch.embeddings.word_embeddings.weight",
        ignored: [
            "*.position_ids", "text_transform.*", "audio_transform.*", "audio_branch.spectrogram_extractor.*",
            "audio_branch.logmel_extractor.*", "*.relative_position_index", "*.attn_mask", "*.num_batches_tracked",
            "audio_branch.tscam_conv.*", "audio_branch.head.*",
        ]
    ) { _ in clapKeys }

    /// The same by itself, as LAION's own files have it; with fusion they hold more, for longer sounds.
    static let laionCLAP = AuthorsPart(
        name: clap.name, className: clap.className, prefixes: ["module.", ""], marker: clap.marker,
        ignored: clap.ignored + [
            "logit_scale_*", "audio_branch.patch_embed.mel_conv2d.*", "audio_branch.patch_embed.fusion_model.*",
        ]
    ) { _ in clapKeys }

    private static let clapKeys = KeyTable(
        [
            KeyRename("text_branch.*", "text_model.*"),
            KeyRename("text_projection.0.*", "text_projection.linear1.*"),
            KeyRename("text_projection.2.*", "text_projection.linear2.*"),
            KeyRename("audio_projection.0.*", "audio_projection.linear1.*"),
            KeyRename("audio_projection.2.*", "audio_projection.linear2.*"),
            KeyRename("audio_branch.bn0.*", "audio_model.audio_encoder.batch_norm.*"),
            KeyRename("audio_branch.*", "audio_model.audio_encoder.*"),
        ],
        [
            KeyRename("audio_model.*.norm1.*", "audio_model.*.layernorm_before.*"),
            KeyRename("audio_model.*.norm2.*", "audio_model.*.layernorm_after.*"),
            KeyRename(
                "audio_model.*.attn.qkv.*", .part,
                ["query", "key", "value"].map { KeyPattern("audio_model.*.attention.self.\($0).*") }),
            KeyRename("audio_model.*.attn.proj.*", "audio_model.*.attention.output.dense.*"),
            KeyRename("audio_model.*.attn.*", "audio_model.*.attention.self.*"),
            KeyRename("audio_model.*.mlp.fc1.*", "audio_model.*.intermediate.dense.*"),
            KeyRename("audio_model.*.mlp.fc2.*", "audio_model.*.output.dense.*"),
        ])

    private static let t5 = AuthorsPart(
        name: PartName.second, className: "T5EncoderModel",
        prefixes: [
            "cond_stage_models.1.model.", "cond_stage_models.0.model.",
            "cond_stage_models.0.cond_stage_models.1.model.",
        ], marker: "encoder.final_layer_norm.weight"
    )

    private static let phonemes = AuthorsPart(
        name: PartName.second, className: "VitsModel",
        prefixes: ["cond_stage_models.0.cond_stage_models.1.text_encoder."], marker: "emb.weight"
    ) { _ in
        KeyTable(
            [
                KeyRename("emb.*", "embed_tokens.*"), KeyRename("proj.*", "project.*"),
                KeyRename("encoder.attn_layers.*.conv_o.*", "encoder.layers.*.attention.out_proj.*"),
                KeyRename("encoder.attn_layers.*.conv_q.*", "encoder.layers.*.attention.q_proj.*"),
                KeyRename("encoder.attn_layers.*.conv_k.*", "encoder.layers.*.attention.k_proj.*"),
                KeyRename("encoder.attn_layers.*.conv_v.*", "encoder.layers.*.attention.v_proj.*"),
                KeyRename("encoder.attn_layers.*.emb_rel_*", "encoder.layers.*.attention.emb_rel_*"),
                KeyRename("encoder.norm_layers_1.*.gamma", "encoder.layers.*.layer_norm.weight"),
                KeyRename("encoder.norm_layers_1.*.beta", "encoder.layers.*.layer_norm.bias"),
                KeyRename("encoder.norm_layers_2.*.gamma", "encoder.layers.*.final_layer_norm.weight"),
                KeyRename("encoder.norm_layers_2.*.beta", "encoder.layers.*.final_layer_norm.bias"),
                KeyRename("encoder.ffn_layers.*.conv_1.*", "encoder.layers.*.feed_forward.conv_1.*"),
                KeyRename("encoder.ffn_layers.*.conv_2.*", "encoder.layers.*.feed_forward.conv_2.*"),
            ], [KeyRename("*", "text_encoder.*")])
    }

    private static let projection = AuthorsPart(
        name: PartName.projection, className: "AudioLDM2ProjectionModel", prefixes: ["cond_stage_models.0."],
        marker: "start_of_sequence_tokens.weight",
        only: [
            "start_of_sequence_tokens.*", "end_of_sequence_tokens.*", "input_sequence_embed_linear.*",
            // In the authors' code the phoneme encoder's, in diffusers' the projection's.
            "cond_stage_models.1.learnable_positional_embedding",
        ]
    ) { _ in
        KeyTable(
            [
                // Tables of 32 rows, of which two are used.
                KeyRename("start_of_sequence_tokens.weight", .row, ["sos_embed", "sos_embed_1"]),
                KeyRename("end_of_sequence_tokens.weight", .row, ["eos_embed", "eos_embed_1"]),
                KeyRename("input_sequence_embed_linear.0.*", "projection.*"),
                KeyRename("input_sequence_embed_linear.1.*", "projection_1.*"),
                KeyRename("cond_stage_models.1.learnable_positional_embedding", "learnable_positional_embedding"),
            ])
    }

    private static let gpt2 = AuthorsPart(
        name: PartName.languageModel, className: "GPT2Model", prefixes: ["cond_stage_models.0.model."],
        marker: "h.0.attn.c_attn.weight"
    )

    static let unet = AuthorsPart(
        name: PartName.unet, className: "AudioLDM2UNet2DConditionModel", prefixes: ["model.diffusion_model."],
        marker: "input_blocks.0.0.weight"
    ) { try UNetStructure($0).keys }

    private static let autoencoder = AuthorsPart(
        name: PartName.vae, className: "AutoencoderKL", prefixes: ["first_stage_model."],
        marker: "decoder.conv_in.weight"
    ) { shapes in
        let levels = shapes.count { "decoder.up.\($0).block.0.norm1.weight" }
        // The authors count the way up from its end.
        let up = (0..<levels).map { level in
            KeyRename(KeyPattern("decoder.up.\(level).*"), KeyPattern("decoder.up_blocks.\(levels - 1 - level).*"))
        }
        return KeyTable(
            up + [
                KeyRename("encoder.down.*", "encoder.down_blocks.*"),
                KeyRename("*.mid.block_1.*", "*.mid_block.resnets.0.*"),
                KeyRename("*.mid.block_2.*", "*.mid_block.resnets.1.*"),
                KeyRename("*.mid.attn_1.norm.*", "*.mid_block.attentions.0.group_norm.*"),
                KeyRename("*.mid.attn_1.q.*", "*.mid_block.attentions.0.to_q.*"),
                KeyRename("*.mid.attn_1.k.*", "*.mid_block.attentions.0.to_k.*"),
                KeyRename("*.mid.attn_1.v.*", "*.mid_block.attentions.0.to_v.*"),
                KeyRename("*.mid.attn_1.proj_out.*", "*.mid_block.attentions.0.to_out.0.*"),
                KeyRename("*.norm_out.*", "*.conv_norm_out.*"),
            ],
            [
                KeyRename("*.block.*", "*.resnets.*"), KeyRename("*.downsample.conv.*", "*.downsamplers.0.conv.*"),
                KeyRename("*.upsample.conv.*", "*.upsamplers.0.conv.*"),
            ],
            [KeyRename("*.nin_shortcut.*", "*.conv_shortcut.*")])
    }

    private static let vocoder = AuthorsPart(
        name: PartName.vocoder, className: "SpeechT5HifiGan", prefixes: ["first_stage_model.vocoder."],
        marker: "conv_post.bias"
    ) { _ in KeyTable([KeyRename("ups.*", "upsampler.*")]) }

    /// Sound to the language of audio. Its decoder serves only its training.
    private static let audioMAE = AuthorsPart(
        name: "audiomae", className: "AudioMAE", prefixes: ["cond_stage_models.0.cond_stage_models.2.audiomae.model."],
        marker: "patch_embed.proj.weight", ignored: ["decoder_*", "mask_token"]
    )
}
