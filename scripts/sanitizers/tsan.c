// What Swift's runtime does without the thread sanitizer's knowledge, told to it. These functions stand before those of
// the runtime's libraries, call them, and say what they hand over. Linked in by `make test-tsan` alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT __attribute__((swiftcall))
#define SWIFT_ASYNC __attribute__((swiftasynccall))
#define SELF __attribute__((swift_context)) void *self
// Weak: a program that has the library linked in keeps the functions of that.
#define INSTEAD_OF(symbol) __attribute__((weak)) __asm__(symbol)

void __tsan_acquire(void *address);
void __tsan_release(void *address);
// Weak: a program in C has no such function, and none that calls what needs it.
SWIFT void *swift_task_getCurrent(void) __attribute__((weak));

static void *find(const char *symbol) {
    void *function = dlsym(RTLD_NEXT, symbol);
    if (!function) abort();
    return function;
}

// What would be called without this file; looked for once.
#define ORIGINAL(symbol) ({ \
    static _Atomic(void *) known; \
    if (!known) known = find(symbol); \
    (void *)known; \
})

// Mutex. The fast paths are inlined and so instrumented; in the slow ones the kernel hands the futex over.

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"

SWIFT void lock_slow(uint32_t thread, SELF) INSTEAD_OF(LOCK);
SWIFT void unlock_slow(SELF) INSTEAD_OF(UNLOCK);
SWIFT bool try_lock_slow(SELF) INSTEAD_OF(TRY_LOCK);

SWIFT void lock_slow(uint32_t thread, SELF) {
    ((SWIFT void (*)(uint32_t, SELF))ORIGINAL(LOCK))(thread, self);
    __tsan_acquire(self);
}

SWIFT void unlock_slow(SELF) {
    __tsan_release(self);
    ((SWIFT void (*)(SELF))ORIGINAL(UNLOCK))(self);
}

SWIFT bool try_lock_slow(SELF) {
    bool taken = ((SWIFT bool (*)(SELF))ORIGINAL(TRY_LOCK))(self);
    if (taken) __tsan_acquire(self);
    return taken;
}

// Continuations. The runtime tells of a task that is put in a queue again, not of one whose continuation was resumed
// before the task came to wait for it, and which just goes on. Behind the wait the task lets the frame go in which it
// waited, or has none where the compiler inlined it.

#define RESUME_RETURNING "$sScC6resume9returningyxn_tF"
#define RESUME_THROWING "$sScC6resume8throwingyq_n_tF"
#define AWAIT "swift_continuation_await"
#define FREE_FRAME "swift_task_dealloc"

SWIFT void resume_returning(void *value, const void *type, SELF) INSTEAD_OF(RESUME_RETURNING);
SWIFT void resume_throwing(void *error, const void *type, SELF) INSTEAD_OF(RESUME_THROWING);
SWIFT_ASYNC void await_continuation(void *context) INSTEAD_OF(AWAIT);
SWIFT void free_frame(void *frame) INSTEAD_OF(FREE_FRAME);

// A CheckedContinuation holds an object that has the task behind its header, until it is resumed.
static void release_task(void *const *continuation) {
    void *task = __atomic_load_n((void *const *)*continuation + 2, __ATOMIC_RELAXED);
    if (task) __tsan_release(task);
}

SWIFT void resume_returning(void *value, const void *type, SELF) {
    release_task(self);
    ((SWIFT void (*)(void *, const void *, SELF))ORIGINAL(RESUME_RETURNING))(value, type, self);
}

SWIFT void resume_throwing(void *error, const void *type, SELF) {
    release_task(self);
    ((SWIFT void (*)(void *, const void *, SELF))ORIGINAL(RESUME_THROWING))(error, type, self);
}

SWIFT_ASYNC void await_continuation(void *context) {
    __tsan_acquire(swift_task_getCurrent());
    SWIFT_ASYNC void (*await)(void *) = ORIGINAL(AWAIT);
    __attribute__((musttail)) return await(context);
}

SWIFT void free_frame(void *frame) {
    ((SWIFT void (*)(void *))ORIGINAL(FREE_FRAME))(frame);
    void *task = swift_task_getCurrent();
    if (task) __tsan_acquire(task);
}

// References. Who finds that a reference is the only one changes the object in place, after all that others did with it
// before they let it go: they read, for example, a copy of a dictionary that was handed to them.

#define RELEASE "swift_release"
#define RELEASE_N "swift_release_n"
#define RELEASE_BRIDGED "swift_bridgeObjectRelease"
#define RELEASE_BRIDGED_N "swift_bridgeObjectRelease_n"
#define IS_UNIQUE "swift_isUniquelyReferenced_nonNull_native"

void release(void *object) INSTEAD_OF(RELEASE);
void release_n(void *object, uint32_t count) INSTEAD_OF(RELEASE_N);
void release_bridged(void *object) INSTEAD_OF(RELEASE_BRIDGED);
void release_bridged_n(void *object, uint32_t count) INSTEAD_OF(RELEASE_BRIDGED_N);
bool is_unique(void *object) INSTEAD_OF(IS_UNIQUE);

// Of an object that others hold as well. The second word has the count of the others in its upper half, and all bits of
// the lower one set where the object lives for ever; the spare bits of a bridged reference are no part of the address.
static void hand_over(void *reference) {
    if ((intptr_t)reference <= 0) return;
    void *object = (void *)((uintptr_t)reference & 0x0ffffffffffffff8);
    uint64_t counts = __atomic_load_n((const uint64_t *)object + 1, __ATOMIC_RELAXED);
    if ((uint32_t)counts != UINT32_MAX && counts >> 33) __tsan_release(object);
}

void release(void *object) {
    hand_over(object);
    ((void (*)(void *))ORIGINAL(RELEASE))(object);
}

void release_n(void *object, uint32_t count) {
    hand_over(object);
    ((void (*)(void *, uint32_t))ORIGINAL(RELEASE_N))(object, count);
}

void release_bridged(void *object) {
    hand_over(object);
    ((void (*)(void *))ORIGINAL(RELEASE_BRIDGED))(object);
}

void release_bridged_n(void *object, uint32_t count) {
    hand_over(object);
    ((void (*)(void *, uint32_t))ORIGINAL(RELEASE_BRIDGED_N))(object, count);
}

bool is_unique(void *object) {
    bool unique = ((bool (*)(void *))ORIGINAL(IS_UNIQUE))(object);
    if (unique) __tsan_acquire(object);
    return unique;
}
