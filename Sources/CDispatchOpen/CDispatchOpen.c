// libdispatch opens /proc/TID/stat of its threads each second while work waits for them, and ends the process where
// it gets no descriptor (`_dispatch_workq_count_runnable_workers`). A read that fails is nothing to it: it counts the
// thread as one that does not run. So here its open succeeds, with a descriptor that cannot be read.
//
// The name `open` of a program goes before that of the C library, whether libdispatch is linked in or loaded.

#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include "CDispatchOpen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

// Higher than fs.nr_open can be: no file ever has it, and read(2) and close(2) of it are EBADF.
static const int unreadable = INT_MAX;

static bool is_status_of_thread(const char *path) {
    static const char before[] = "/proc/";
    if (strncmp(path, before, sizeof before - 1) != 0) return false;
    const char *thread = path + sizeof before - 1;
    size_t digits = strspn(thread, "0123456789");
    return digits > 0 && strcmp(thread + digits, "/stat") == 0;
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (__OPEN_NEEDS_MODE(flags)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    int descriptor = openat(AT_FDCWD, path, flags, mode);
    // Only libdispatch asks so: what this project opens there, it opens with O_CLOEXEC.
    if (descriptor < 0 && (errno == EMFILE || errno == ENFILE) && flags == (O_RDONLY | O_NONBLOCK)
        && is_status_of_thread(path)) {
        return unreadable;
    }
    return descriptor;
}
