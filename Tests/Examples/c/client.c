// Makes a sound through the C interface, after checking what the interface promises about errors, stopping and NULL.
//
//     cc client.c $(pkg-config --cflags --libs audioldm2) -lm -o client && ./client "heavy rain" rain.wav
//
// The sound is the one of: audioldm2 generate "heavy rain" -o rain.wav --seconds 1 --steps 2 --seed 7

#include <audioldm2.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const options = "{\"seconds\": 1, \"steps\": 2, \"seed\": 7}";

static void expect(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "client: %s does not hold; last error: '%s'\n", what, audioldm2_last_error());
    exit(1);
}

#define EXPECT(condition) expect(condition, #condition)

typedef struct calls {
    int count, denoising, stop_at;
} calls;

static int progress(void *context, const char *stage, int32_t completed, int32_t total) {
    calls *calls = context;
    EXPECT(completed >= 0 && completed <= total);
    calls->count++;
    if (strcmp(stage, "denoising") == 0) calls->denoising = completed;
    return calls->stop_at > 0 && calls->denoising >= calls->stop_at;
}

static void check_promises(audioldm2_pipeline *pipeline) {
    audioldm2_sound *sound = (audioldm2_sound *)pipeline;
    audioldm2_pipeline_free(NULL);
    audioldm2_sound_free(NULL);
    audioldm2_text_free(NULL);
    size_t count = 1;
    EXPECT(audioldm2_sound_samples(NULL, &count) == NULL && count == 0);
    EXPECT(audioldm2_pipeline_sample_rate(NULL) == 0 && audioldm2_sound_record(NULL) == NULL);
    EXPECT(audioldm2_generate(NULL, "rain", NULL, NULL, NULL, &sound) == AUDIOLDM2_ERROR_ARGUMENT && sound == NULL);
    EXPECT(strstr(audioldm2_last_error(), "pipeline") != NULL);
    EXPECT(audioldm2_generate(pipeline, NULL, NULL, NULL, NULL, &sound) == AUDIOLDM2_ERROR_ARGUMENT);
    EXPECT(audioldm2_generate(pipeline, "rain", NULL, NULL, NULL, NULL) == AUDIOLDM2_ERROR_ARGUMENT);
    EXPECT(audioldm2_generate(pipeline, "\xff", NULL, NULL, NULL, &sound) == AUDIOLDM2_ERROR_ARGUMENT);
    EXPECT(audioldm2_generate(pipeline, " ", NULL, NULL, NULL, &sound) == AUDIOLDM2_ERROR_OPTION);
    EXPECT(audioldm2_generate(pipeline, "rain", "{\"step\": 2}", NULL, NULL, &sound) == AUDIOLDM2_ERROR_OPTION);
    EXPECT(strstr(audioldm2_last_error(), "\"step\"") != NULL);
    EXPECT(audioldm2_generate(pipeline, "rain", "{\"seconds\": 1, \"memory_limit\": 1}", NULL, NULL, &sound)
           == AUDIOLDM2_ERROR_MEMORY);
    audioldm2_pipeline *other = pipeline;
    EXPECT(audioldm2_open("/no/model.aldm", NULL, &other) == AUDIOLDM2_ERROR_MODEL_FILE && other == NULL);
    EXPECT(audioldm2_open(NULL, "{\"threads\": 0}", &other) == AUDIOLDM2_ERROR_OPTION);
    EXPECT(audioldm2_open(NULL, "{\"device\": \"abacus\"}", &other) == AUDIOLDM2_ERROR_OPTION);

    calls stopped = {.stop_at = 1};
    EXPECT(audioldm2_generate(pipeline, "rain", "{\"seconds\": 1, \"steps\": 1000}", progress, &stopped, &sound)
           == AUDIOLDM2_STOPPED);
    EXPECT(sound == NULL && stopped.denoising >= 1 && stopped.denoising < 100);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: client PROMPT SOUND.wav\n");
        return 64;
    }
    EXPECT(audioldm2_interface_version() >= AUDIOLDM2_INTERFACE_VERSION);
    audioldm2_pipeline *pipeline = NULL;
    EXPECT(audioldm2_open(NULL, "{\"device\": \"cpu\", \"threads\": 2}", &pipeline) == AUDIOLDM2_OK);
    EXPECT(strcmp(audioldm2_last_error(), "") == 0);
    EXPECT(audioldm2_pipeline_threads(pipeline) == 2 && audioldm2_pipeline_default_seconds(pipeline) > 0);
    check_promises(pipeline);

    char *information = NULL;
    EXPECT(audioldm2_inspect(NULL, &information) == AUDIOLDM2_OK && strstr(information, "\"family\"") != NULL);
    audioldm2_text_free(information);

    audioldm2_sound *sound = NULL;
    calls heard = {0};
    EXPECT(audioldm2_generate(pipeline, argv[1], options, progress, &heard, &sound) == AUDIOLDM2_OK);
    EXPECT(heard.denoising == 2 && audioldm2_sound_seed(sound) == 7 && audioldm2_sound_channels(sound) == 1);
    EXPECT(strstr(audioldm2_sound_record(sound), "\"seed\":7") != NULL && audioldm2_sound_warnings(sound) != NULL);
    audioldm2_pipeline_free(pipeline);

    size_t count = 0;
    const float *samples = audioldm2_sound_samples(sound, &count);
    float peak = 0;
    for (size_t i = 0; i < count; i++) peak = fmaxf(peak, fabsf(samples[i]));
    EXPECT(count == (size_t)audioldm2_sound_sample_rate(sound) && peak > 0 && isfinite(peak));
    EXPECT(audioldm2_sound_write(sound, "/no/sound.wav") == AUDIOLDM2_ERROR_FILE);
    EXPECT(audioldm2_sound_write(sound, argv[2]) == AUDIOLDM2_OK);
    audioldm2_sound_free(sound);
    printf("%s: %zu samples by libaudioldm2 %s\n", argv[2], count, audioldm2_version());
    return 0;
}
