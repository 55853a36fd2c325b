// Makes the slow path of Swift's `Mutex` visible to the thread sanitizer; `scripts/test --tsan` preloads this library.
//
// The fast path, locking and unlocking without contention, is compiled into our code and therefore instrumented. The
// slow path is in the runtime's library, which is not: without this file the sanitizer occasionally reports contention
// at a `Mutex` as a race in the code under the lock. Suppressing those reports would also hide real races there.
//
// The library's functions (Swift 6.3, stdlib/public/Synchronization/Mutex/LinuxImpl.swift) are bound by name, so the
// functions below take precedence. If a later Swift renames them, this file has no effect and the reports return.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

// Absent in processes without the sanitizer that inherit LD_PRELOAD: redis-server, the shell.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

SWIFT void lock_slow(uint32_t thread, SELF) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void unlock_slow(SELF) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

SWIFT void lock_slow(uint32_t thread, SELF) {
    SWIFT void (*next)(uint32_t, SELF) = dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    next(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF) {
    SWIFT void (*next)(SELF) = dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    if (__tsan_release) __tsan_release(mutex);
    next(mutex);
}
