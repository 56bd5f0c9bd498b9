// What Swift's Mutex does where it must wait or wake, told to the thread sanitizer.
//
// The fast paths are inlined and so instrumented. The slow ones are in libswiftSynchronization, which is not: the
// kernel hands the futex over there, and each handing over would be taken for a race. These functions stand before
// those of the library, call them, and say that the lock was taken or given. Linked in by `make test-tsan` alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"

void __tsan_acquire(void *address);
void __tsan_release(void *address);

static void *library(const char *symbol) {
    void *function = dlsym(RTLD_NEXT, symbol);
    if (!function) abort();
    return function;
}

// Weak: a program that has the library linked in keeps the functions of that.
__attribute__((weak)) SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
__attribute__((weak)) SWIFT void unlock_slow(SELF) __asm__(UNLOCK);
__attribute__((weak)) SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK);

SWIFT void lock_slow(uint32_t thread, SELF) {
    ((SWIFT void (*)(uint32_t, SELF))library(LOCK))(thread, self);
    __tsan_acquire(self);
}

SWIFT void unlock_slow(SELF) {
    __tsan_release(self);
    ((SWIFT void (*)(SELF))library(UNLOCK))(self);
}

SWIFT bool try_lock_slow(SELF) {
    bool taken = ((SWIFT bool (*)(SELF))library(TRY_LOCK))(self);
    if (taken) __tsan_acquire(self);
    return taken;
}
