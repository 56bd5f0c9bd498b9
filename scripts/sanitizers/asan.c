// What the leak check of the address sanitizer cannot know by itself; linked in by `make test-asan` alone.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

// Leaks that are not of this project, or are none:
// - NIO's pool of blocking threads is never let go, and the one pointer to its queue has a tag that hides it.
// - Swift keeps the pointer to what weak references share shifted by some bits, which hides it.
// - Foundation loses the buffer in which it read a file of no bytes (`Data(contentsOf:)`, in tests alone).
const char *__lsan_default_suppressions(void) {
    return "leak:makePerpetualStarted\n"
           "leak:formWeakReference\n"
           "leak:FoundationEssentials17readBytesFromFile\n";
}

// The daemon ends while its threads still run, and what they alone hold then is taken for lost, now and then. The same
// parts are checked in the process of the tests.
int __lsan_is_turned_off(void) { return strcmp(program_invocation_short_name, "usaged") == 0; }
