import AudioLDM2
import AudioLDM2Converter
import Foundation
import Testing

@Suite struct InspectionTests {
    @Test func listsComponentsAndWhatTheyAreStoredAs() throws {
        let inspection = try ModelInspection(modelAt: ModelFixture.path("tiny", .int8))
        #expect(
            inspection.components.map(\.name) == [
                "text_encoder", "text_encoder_2", "projection_model", "language_model", "unet", "vae", "vocoder",
                "vae_encoder", "clap_audio",
            ])
        let unet = try #require(inspection.components.first { $0.name == "unet" })
        #expect(unet.className == "AudioLDM2UNet2DConditionModel")
        let quantized = try #require(unet.parametersByFormat["int8"])
        #expect(quantized > unet.parameters * 9 / 10)
        let first = try #require(unet.tensors.first { $0.name == "conv_in.weight" })
        #expect(first.format == "float16" && first.shape == [16, 3, 3, 8])
        #expect(Set(["tokenizer", "tokenizer_2", "scheduler"]).isSubset(of: inspection.blobs.keys))
        #expect(inspection.provenance.contains { $0.key == "source" && $0.value == "tiny" })
    }

    @Test func undamagedModelsPassTheirCheck() throws {
        for weights in WeightPreset.allCases {
            try ModelInspection.check(modelAt: ModelFixture.path("tiny", weights))
        }
    }
}
