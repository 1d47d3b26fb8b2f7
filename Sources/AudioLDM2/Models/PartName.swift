/// The names under which a model file holds its parts: those of `model_index.json`, and ours for what that does not name.
package enum PartName {
    package static let clap = "text_encoder"
    package static let second = "text_encoder_2"
    package static let projection = "projection_model"
    package static let languageModel = "language_model"
    package static let unet = "unet"
    package static let vae = "vae"
    package static let vocoder = "vocoder"

    /// What says the magnitudes that Griffin-Lim finds phases for.
    package static let magnitudes = "magnitudes"

    package static let vaeEncoder = "vae_encoder"
    package static let clapAudio = "clap_audio"
    package static let audioMAE = "audiomae"

    // What judges and makes no sounds.
    package static let vggish = "vggish"
    package static let cnn14 = "cnn14"
    package static let musicNN = "musicnn"
    package static let passt = "passt"

    package static let tokenizer = "tokenizer"
    package static let tokenizer2 = "tokenizer_2"
    package static let scheduler = "scheduler"
    /// Describes the spectrogram between VAE and vocoder.
    package static let mel = "mel"
    /// Describes what CLAP hears.
    package static let features = "feature_extractor"
    /// Says what the model was trained on.
    package static let vocabulary = "vocabulary"

    /// What reads texts. A model that was made without it keeps its configuration, and makes sounds of saved conditions.
    package static let textEncoders = [clap, second, projection, languageModel]
    /// What hears sounds.
    package static let soundEncoders = [vaeEncoder, clapAudio, audioMAE]

    /// The tokenizer of a text encoder.
    package static let tokenizers = [clap: tokenizer, second: tokenizer2]
}
