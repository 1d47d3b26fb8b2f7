/// Whose behaviour and defaults a sound is made with, where the two reference implementations differ.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ReferenceProfile: String, CaseIterable, Sendable, Codable {
    /// Guidance leads away from what GPT-2 makes of the negative prompt.
    case diffusers
    /// Guidance leads away from a language of audio of zeros, and every step of DDIM adds fresh noise.
    case authors
}

extension SoundOptions {
    /// A reference implementation's defaults: 200 steps of DDIM at guidance 3.5, with η = 0 (diffusers) or 1 (authors).
    /// - Parameter profile: nil for our own defaults.
    public static func defaults(of profile: ReferenceProfile?) -> SoundOptions {
        guard let profile else { return SoundOptions() }
        let references = ModelDefaults.references
        return SoundOptions(
            numInferenceSteps: 200, guidanceScale: 3.5, scheduler: .ddim, eta: profile == .authors ? 1 : 0,
            profile: profile, guidanceRescale: references.guidanceRescale, vocoder: references.vocoder,
            fadeSeconds: references.fadeSeconds, silenceRetries: references.silenceRetries, quality: .exact)
    }

    /// Leaves to the model what it has a say in: one that was converted for a profile may also have defaults of its own.
    mutating func leaveToModel() {
        guidanceRescale = nil
        vocoder = nil
        fadeSeconds = nil
        silenceRetries = nil
    }

    /// Takes a scheduler; if it is another one, with its own number of steps and without fresh noise.
    public mutating func use(_ scheduler: Scheduler) {
        guard scheduler != self.scheduler else { return }
        let own = SoundOptions()
        (self.scheduler, numInferenceSteps, eta) = (scheduler, own.numInferenceSteps, own.eta)
    }
}
