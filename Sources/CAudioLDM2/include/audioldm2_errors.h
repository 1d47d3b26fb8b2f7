/* Within the library: the text of audioldm2_last_error. */
#ifndef AUDIOLDM2_ERRORS_H
#define AUDIOLDM2_ERRORS_H

/* Keeps as much of a text as there is room for; whole characters of UTF-8. */
void keep_audioldm2_error(const char *text);

#endif
