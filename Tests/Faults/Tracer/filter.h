#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>

/// From now on, calls of these kinds wait for whoever traces the process; others run at full speed.
/// - Returns: false with errno set.
bool filter_install(unsigned kinds);

#endif
