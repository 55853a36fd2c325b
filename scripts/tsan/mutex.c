// Tells the thread sanitizer what Swift's `Mutex` does when it has to wait; `scripts/test --tsan` preloads it.
//
// Locking and unlocking without contention is compiled into our code, and so is seen. Waiting is in the runtime's
// library, which is not instrumented: without this the sanitizer takes two threads that met at a `Mutex` for a race,
// now and then, in whatever stands under the lock. Suppressing those places would hide real races in them.
//
// The library's functions (Swift 6.3, stdlib/public/Synchronization/Mutex/LinuxImpl.swift) are called by name, so the
// ones below come first. Should they have another name in a later Swift, this does nothing, and the reports are back.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex

// Absent in processes without the sanitizer, which inherit the preloading: redis-server, the shell.
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
