import AudioLDM2

/// What a model is asked while its stages are recorded.
package struct StageRequest: Sendable, Codable, Equatable {
    package var prompts: [String]
    package var negativePrompt = ""
    /// What models that speak say, in phonemes.
    package var phonemes = "ðə bˈɜːdz ɑːɹ sˈɪŋɪŋ ɪnðə ɡˈɑːɹdən"
    /// Length of each sound.
    package var seconds = 2.56
    package var steps = 3
    package var guidanceScale = SoundOptions().guidanceScale
    package var seed: UInt64 = 0

    package init(prompts: [String]) { self.prompts = prompts }
}

/// How far a stage's results are from those that were recorded.
package struct StageError: Sendable, Codable, Equatable {
    /// In the model file.
    package let component: String
    /// What was compared.
    package let name: String
    /// ‖ours − recorded‖ / ‖recorded‖, the root of the mean square over all results.
    package let relativeError: Double
    /// Of the worst result.
    package let largest: Double
}
