#pragma once
#include <stddef.h>

/// One file of the console, as bytes of the program.
struct console_file {
    /// Its path below this target's folder.
    const char *path;
    /// Its bytes, with a zero behind the last; empty when it was not there at the build.
    const unsigned char *bytes;
};

/// The file of this number, counted from zero; NULL behind the last.
const struct console_file *console_file_at(size_t index);
