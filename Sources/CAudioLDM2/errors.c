#include "audioldm2.h"
#include "audioldm2_errors.h"

#include <string.h>

// A place for each thread that needs no freeing when the thread ends.
static _Thread_local char last_error[2048];

const char *audioldm2_last_error(void) { return last_error; }

void keep_audioldm2_error(const char *text) {
    size_t length = strlen(text);
    if (length >= sizeof last_error) {
        length = sizeof last_error - 1;
        // Bytes that continue a character begin with the bits 10.
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    }
    memcpy(last_error, text, length);
    last_error[length] = 0;
}
