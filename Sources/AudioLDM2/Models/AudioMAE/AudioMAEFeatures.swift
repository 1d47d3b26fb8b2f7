import Audio

/// Sound to the features that AudioMAE reads.
///
/// `extract_kaldi_fbank_feature` of the authors' repository.
package struct AudioMAEFeatures: Sendable {
    private let config: AudioMAEConfig
    private let filterBank: KaldiFilterBank

    package init(_ config: AudioMAEConfig) {
        self.config = config
        filterBank = KaldiFilterBank(sampleRate: config.samplingRate, bands: config.numMelBins)
    }

    /// The longest sound that is read to its end.
    package var maximumSeconds: Double { filterBank.seconds(frames: config.targetLength) }

    /// - Parameter samples: mono, at the config's rate.
    /// - Returns: `[targetLength, numMelBins]`: what a longer sound has more is left out, frames that a shorter one lacks are
    ///   zeros before normalization.
    package func callAsFunction(_ samples: [Float]) -> [Float] {
        // The authors subtract the sound's mean first, which comes to nothing: Kaldi subtracts each frame's.
        var features = filterBank(samples, maximumFrames: config.targetLength)
        features += [Float](repeating: 0, count: config.targetLength * config.numMelBins - features.count)
        return features.map { ($0 - config.featureMean) / (2 * config.featureStd) }
    }
}
