#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

// For programs alone: whoever links this has malloc, calloc, realloc and posix_memalign of its own in the whole process, before
// the C library's. They have nothing to call.
//
// A request for memory that is refused ends the process with a line on standard error, and status 1, if whoever asks cannot go
// on without: Swift's runtime, Foundation, Dispatch, libsndfile. Else it would crash, or wait for ever. Whoever can is told so,
// as ever.

#endif
