import Audio
import Testing

@Suite struct LogMelSpectrogramTests {
    private let spectrogram = LogMelSpectrogram(
        .init(sampleRate: 16000, fftLength: 1024, hop: 160, bands: 64, frequencies: 0...8000),
        scale: .logMagnitude(floor: 1e-5))

    @Test(arguments: ["mel", "mel.short"])
    func agreesWithTorchAndLibrosa(_ name: String) throws {
        let reference = try AudioReference()
        let wave = try reference.values(name + ".wave")
        let expected = try reference.values(name + ".logmel")
        let result = spectrogram(wave)
        #expect(result.count == expected.count && result.count == (wave.count / 160 + 1) * 64)
        #expect(zip(result, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func silenceAndSingleSamplesHaveSpectra() {
        #expect(spectrogram([Float](repeating: 0, count: 1000)).allSatisfy { abs($0 + 11.512925) < 1e-5 })
        let single = spectrogram([0.5])
        #expect(single.count == 64 && single.allSatisfy(\.isFinite))
        #expect(spectrogram([0.5, -0.5]).allSatisfy { $0.isFinite })
    }
}
