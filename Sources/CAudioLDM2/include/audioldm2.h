/* AudioLDM 2 for C, and for whatever can call C: text to sound, offline.
 *
 *     audioldm2_pipeline *pipeline;
 *     audioldm2_sound *sound;
 *     if (audioldm2_open(NULL, NULL, &pipeline) != AUDIOLDM2_OK) ...         audioldm2_last_error() says why
 *     if (audioldm2_generate(pipeline, "heavy rain", "{\"seconds\": 5}", NULL, NULL, &sound) != AUDIOLDM2_OK) ...
 *     audioldm2_sound_write(sound, "rain.wav");
 *     audioldm2_sound_free(sound);
 *     audioldm2_pipeline_free(pipeline);
 *
 * Texts are UTF-8 and end with a zero. Functions may be called on any thread; what is asked of one pipeline is done one after the
 * other. A pipeline must not be freed while another thread is in a call with it; a sound may outlive its pipeline. Freeing NULL
 * does nothing; other functions answer NULL handles with 0, NULL or AUDIOLDM2_ERROR_ARGUMENT. Nothing is printed, and no
 * signal is handled. A child of fork() may open and generate only if its parent has not; it gets
 * AUDIOLDM2_ERROR_ARGUMENT. The library stays loaded after dlclose(). A model's file must stay as it is while it is open:
 * a page that is cut off ends the program (SIGBUS); replace it by renaming another (mv).
 */
#ifndef AUDIOLDM2_H
#define AUDIOLDM2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface: it grows when something is added. What a program was compiled for must not be larger than what
 * audioldm2_interface_version() says. A change that breaks programs gets another library, libaudioldm2.so.1. */
#define AUDIOLDM2_INTERFACE_VERSION 1

int32_t audioldm2_interface_version(void);

/* Of the library, such as "0.2.0". */
const char *audioldm2_version(void);

/* How a call went. Others may be added: treat what is unknown as an error. */
typedef enum audioldm2_status {
    AUDIOLDM2_OK = 0,
    /* The progress function asked for it. */
    AUDIOLDM2_STOPPED = 1,
    /* A handle, text or place for a result that must be there is NULL, or a text is not UTF-8. */
    AUDIOLDM2_ERROR_ARGUMENT = 2,
    /* The model file is missing, damaged, foreign or made for another version. */
    AUDIOLDM2_ERROR_MODEL_FILE = 3,
    /* The model's configuration asks for what this version does not do. */
    AUDIOLDM2_ERROR_CONFIGURATION = 4,
    /* An option cannot be used. */
    AUDIOLDM2_ERROR_OPTION = 5,
    /* A sound file could not be written. */
    AUDIOLDM2_ERROR_FILE = 6,
    /* Memory that the work needs and the limit or the machine does not have. */
    AUDIOLDM2_ERROR_MEMORY = 7,
    /* A GPU that was asked for cannot be used, or failed. */
    AUDIOLDM2_ERROR_DEVICE = 8,
    AUDIOLDM2_ERROR_OTHER = 9
} audioldm2_status;

/* Why the last call on this thread that gave a status did not give AUDIOLDM2_OK: a sentence that names the file or value and what
 * to do; "" after AUDIOLDM2_OK. Valid until the next call on this thread. */
const char *audioldm2_last_error(void);

/* An open model. */
typedef struct audioldm2_pipeline audioldm2_pipeline;

/* A finished sound. */
typedef struct audioldm2_sound audioldm2_sound;

/* Opens a model file and checks its configuration; reads no weights yet.
 *
 * path: NULL for the model that ships, share/audioldm2/default.aldm beside the library's or the program's folder.
 * settings: NULL, or a JSON object with any of
 *     "threads"        1 to 1024; as many as there are processors to use without it
 *     "device"         "auto" (default), "cpu", "cuda" or "cuda:N"
 *     "weight_budget"  bytes of weights that stay in memory from sound to sound; 0 (default) for none
 * pipeline: gets what audioldm2_pipeline_free must free; NULL if there is an error.
 */
audioldm2_status audioldm2_open(const char *path, const char *settings, audioldm2_pipeline **pipeline);

void audioldm2_pipeline_free(audioldm2_pipeline *pipeline);

/* Of the sounds it makes, in Hz. */
int32_t audioldm2_pipeline_sample_rate(const audioldm2_pipeline *pipeline);

/* The length that the model was trained on and makes unless told otherwise, in seconds. */
double audioldm2_pipeline_default_seconds(const audioldm2_pipeline *pipeline);

/* What computes, such as "avx2" or "cuda:0 (NVIDIA H100, sm_90)". Lives as long as the pipeline. */
const char *audioldm2_pipeline_device(const audioldm2_pipeline *pipeline);

/* Threads of the processor that compute. */
int32_t audioldm2_pipeline_threads(const audioldm2_pipeline *pipeline);

/* What a model file contains, can do and comes from: the JSON of "audioldm2 inspect --json".
 *
 * path: NULL for the model that ships.
 * information: gets a text that audioldm2_text_free must free; NULL if there is an error.
 */
audioldm2_status audioldm2_inspect(const char *path, char **information);

void audioldm2_text_free(char *text);

/* Hears how far a sound has come: at every step, and ten times a second, on the thread that called audioldm2_generate, which it
 * keeps from nothing else.
 *
 * stage: "encoding", "denoising", "decoding" or "vocoding"; valid during the call.
 * completed, total: steps of the stage.
 * returns: 0 to go on; anything else stops the work within a step.
 */
typedef int (*audioldm2_progress)(void *context, const char *stage, int32_t completed, int32_t total);

/* Makes a sound, and returns when it is there.
 *
 * prompt: what the sound should be.
 * options: NULL, or a JSON object with any of the fields of a line of "audioldm2 batch" that say how a sound is made:
 *     "seconds" 0.1 to 3600, "seed" 0 to 2^64 - 1 (random without it), "steps", "guidance_scale", "guidance_rescale",
 *     "guidance_interval", "negative_prompt", "scheduler", "quality", "eta", "vocoder", "window", "loop", "fade", "fade_in",
 *     "fade_out", "trim_silence", "normalize", "sample_rate", "bits", "retries", "profile", "transcription", "phonemes",
 *     "audio_weight"; and "memory_limit", bytes of memory that the work may take.
 *   Fields that are not known are refused.
 * progress: NULL, or what hears of it; context is given to it.
 * sound: gets what audioldm2_sound_free must free; NULL unless AUDIOLDM2_OK.
 */
audioldm2_status audioldm2_generate(audioldm2_pipeline *pipeline, const char *prompt, const char *options,
                                    audioldm2_progress progress, void *context, audioldm2_sound **sound);

void audioldm2_sound_free(audioldm2_sound *sound);

/* Samples in -1...1, those of several channels one after the other. They live as long as the sound.
 *
 * count: gets their number, of all channels; may be NULL.
 */
const float *audioldm2_sound_samples(const audioldm2_sound *sound, size_t *count);

/* In Hz. */
int32_t audioldm2_sound_sample_rate(const audioldm2_sound *sound);

int32_t audioldm2_sound_channels(const audioldm2_sound *sound);

/* That was used: the same seed, prompt, options and model make the same sound. */
uint64_t audioldm2_sound_seed(const audioldm2_sound *sound);

/* How the sound came about, as JSON: what its file says too. Lives as long as the sound. */
const char *audioldm2_sound_record(const audioldm2_sound *sound);

/* What is to be known and did not stop the work (words that the model has not learned, a GPU that is not used), a sentence per
 * line; "" for nothing. Lives as long as the sound. */
const char *audioldm2_sound_warnings(const audioldm2_sound *sound);

/* Writes a file whose extension says how: wav, flac, ogg, opus, mp3 or aiff. It appears when it is complete; one that was there is replaced. */
audioldm2_status audioldm2_sound_write(const audioldm2_sound *sound, const char *path);

#ifdef __cplusplus
}
#endif

#endif
