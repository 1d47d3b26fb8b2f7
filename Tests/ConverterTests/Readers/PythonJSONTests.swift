import AudioLDM2Converter
import Checkpoints
import Foundation
import TestSupport
import Testing
import WeightFile

/// Files in which Python wrote numbers that JSON does not have.
@Suite struct PythonJSONTests {
    @Test(arguments: [
        (#"{"a": -Infinity, "b": [NaN,Infinity]}"#, #"{"a": "-Infinity", "b": ["NaN","Infinity"]}"#),
        (#"{"NaN": "-Infinity \" NaN \\", "b": NaN}"#, #"{"NaN": "-Infinity \" NaN \\", "b": "NaN"}"#),
        (#"{"a": -1e3, "b": "∞ NaN"}"#, #"{"a": -1e3, "b": "∞ NaN"}"#), (#"{"a": "NaN\"#, #"{"a": "NaN\"#), ("", ""),
    ])
    func bareNumbersBecomeStrings(text: String, standard: String) {
        #expect(String(decoding: PythonJSON.standard(Array(text.utf8)), as: UTF8.self) == standard)
    }

    /// As `DPMSolverMultistepScheduler.save_pretrained` of diffusers writes `lambda_min_clipped`; other files have no such
    /// number in a field that counts.
    @Test(arguments: [
        "scheduler/scheduler_config.json", "unet/config.json", "text_encoder/config.json", "model_index.json",
        "tokenizer/tokenizer_config.json", "tokenizer_2/tokenizer_config.json",
    ])
    func everyFileOfACheckpointMayHoldThem(file: String) throws {
        let folder = try TemporaryFolder()
        let copy = try CheckpointFixture("tiny").copy(to: folder, changed: [file])
        try copy.replace(
            "{\n", by: #"{"_lambda_min_clipped": -Infinity, "_b": NaN, "_c": [Infinity], "_d": "NaN","# + "\n", in: file
        )
        let output = folder.file("model.aldm")
        _ = try copy.convert(ConversionOptions(weights: .float16), to: output)
        // What a pack holds is standard.
        let pack = try Pack(opening: output)
        for json in try [pack.blob("scheduler")] + pack.components.map(\.config) {
            #expect(try JSONSerialization.jsonObject(with: json) is [String: Any])
        }
    }

    @Test func aNumberThatCountsIsNamed() throws {
        let folder = try TemporaryFolder()
        let copy = try CheckpointFixture("tiny").copy(to: folder, changed: ["vae/config.json"])
        try copy.replace("\"norm_num_groups\": 8", by: "\"norm_num_groups\": NaN", in: "vae/config.json")
        let error = #expect(throws: (any Error).self) {
            try copy.convert(ConversionOptions(), to: folder.file("model.aldm"))
        }
        #expect("\(try #require(error))" == "vae/config.json: the value of 'norm_num_groups' has the wrong type")
    }
}
