#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

/// From now on, a request for memory that is refused ends the process with a line on standard error, and status 1, if whoever
/// asks cannot go on without: Swift's runtime, Foundation, Dispatch, libsndfile. Else it would crash, or wait for ever.
/// Whoever can is told so, as ever.
///
/// For programs alone: this stands before the C library's allocator in the whole process.
void callocations_end_with_message(void);

#endif
