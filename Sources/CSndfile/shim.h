#include <sndfile.h>

/// Gives a sound that is to be written a loop over its first `frames` frames: Swift does not see that part of the structure.
static inline int csndfile_set_loop(SNDFILE *file, uint32_t frames) {
    SF_INSTRUMENT instrument = {.gain = 1, .basenote = 60, .velocity_hi = 127, .key_hi = 127, .loop_count = 1};
    instrument.loops[0].mode = SF_LOOP_FORWARD;
    instrument.loops[0].end = frames;
    return sf_command(file, SFC_SET_INSTRUMENT, &instrument, sizeof instrument);
}
