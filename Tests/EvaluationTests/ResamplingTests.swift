import Evaluation
import Testing

/// Against torchaudio and julius.
@Suite struct ResamplingTests {
    @Test(arguments: [(44100, 16000), (48000, 16000), (16000, 32000), (32000, 48000), (22050, 16000)])
    func soundsAreThoseOfThePackages(_ from: Int, _ to: Int) throws {
        let reference = try EvaluationReference()
        let input = try reference.samples("resample.in")
        for (name, kind) in [
            ("hann", SincResampler.Kind.torchaudioHann), ("kaiser", .torchaudioKaiser), ("julius", .julius),
        ] {
            let expected = try reference.samples("resample.\(name).\(from).\(to)")
            let found = SincResampler(from: from, to: to, kind)(input)
            #expect(found.count == expected.count, "\(name)")
            let error = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
            #expect(error < 2e-6, "\(name): \(error)")
        }
    }

    @Test func nothingChangesAtTheSameRate() {
        #expect(SincResampler(from: 16000, to: 16000, .torchaudioHann)([1, 2, 3]) == [1, 2, 3])
        #expect(SincResampler(from: 8000, to: 16000, .julius)([]) == [])
    }
}
