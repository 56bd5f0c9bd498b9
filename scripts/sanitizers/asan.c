// Leaks that are not of this project, for the leak check of the address sanitizer; linked in by `make test-asan` alone.
//
// Each is for the process's whole life or in the toolchain's own libraries:
// - NIO's pool of blocking threads is never let go, and the one pointer to its queue has a tag that hides it.
// - Foundation loses the buffer in which it read a file of no bytes (`Data(contentsOf:)`, in tests alone).
// - Foundation's `Process` loses the note by which it refers to its run loop (in tests alone).
const char *__lsan_default_suppressions(void) {
    return "leak:makePerpetualStarted\n"
           "leak:FoundationEssentials17readBytesFromFile\n"
           "leak:Foundation7ProcessC3run\n";
}
