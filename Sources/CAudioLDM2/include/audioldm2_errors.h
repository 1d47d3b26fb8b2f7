/* Within the library: the text of audioldm2_last_error. */
#ifndef AUDIOLDM2_ERRORS_H
#define AUDIOLDM2_ERRORS_H

#include <stdbool.h>

/* Whether this process may work: not after a fork of one that had. */
bool begin_audioldm2_work(void);

/* Keeps as much of a text as there is room for; whole characters of UTF-8. */
void keep_audioldm2_error(const char *text);

#endif
