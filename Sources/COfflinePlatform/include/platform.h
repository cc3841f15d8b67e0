// What Swift can't reach: the CRC-32C instruction, memmem, a memset that stays, relaxed atomic bits in raw memory, open file description locks.
#ifndef OFFLINE_PLATFORM_H
#define OFFLINE_PLATFORM_H
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/// CRC-32C (Castagnoli) of `length` bytes, continuing from `seed` (0 to begin). crc("123456789") == 0xE3069283.
uint32_t offline_crc32c(uint32_t seed, const void *bytes, size_t length);

/// The table form of the same sum, for a test that both agree.
uint32_t offline_crc32c_portable(uint32_t seed, const void *bytes, size_t length);

/// Whether the processor's CRC-32C instruction is used.
bool offline_crc32c_is_accelerated(void);

/// Whether `part` is somewhere in `bytes`: memmem, which on Linux takes time linear in both.
bool offline_contains(const void *bytes, size_t length, const void *part, size_t part_length);

/// Relaxed atomic bit set and test: `bit` counts from the first word's lowest bit.
static inline void offline_bit_set(uint64_t *words, uint64_t bit) {
    __atomic_fetch_or(&words[bit >> 6], 1ull << (bit & 63), __ATOMIC_RELAXED);
}
static inline bool offline_bit_test(const uint64_t *words, uint64_t bit) {
    return (__atomic_load_n(&words[bit >> 6], __ATOMIC_RELAXED) >> (bit & 63)) & 1;
}

/// Acquire load and release store of a word that several threads share.
static inline uint64_t offline_load_acquire(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void offline_store_release(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// Takes an exclusive lock on the whole file without waiting. It belongs to the open file description, so closing another
/// descriptor of the same file doesn't drop it. 0, or errno (EAGAIN or EACCES where another holds it).
int offline_lock_exclusive(int descriptor);

/// open(2) with a mode, O_CLOEXEC and O_NOFOLLOW, retried on EINTR, at a descriptor of 3 or above. -1 and errno on failure.
int offline_open(const char *path, int flags, unsigned int mode);

/// Makes a file's bytes and size durable: fdatasync, on Darwin F_FULLFSYNC (fsync leaves them in the drive's cache there;
/// where a volume doesn't know F_FULLFSYNC, it is all there is). Retried on EINTR, never after another error. 0, or errno.
int offline_sync_file(int descriptor);

/// Makes the names in a folder durable. 0, or errno.
int offline_sync_folder(int descriptor);

/// Reads a folder: `open` takes the descriptor over (NULL and errno on failure, then it is closed), `next` gives a name that
/// is valid until the next call, or NULL at the end (*error 0) or on failure (*error is errno).
void *offline_folder_open(int descriptor);
const char *offline_folder_next(void *folder, int *error);
void offline_folder_close(void *folder);

/// A write beyond RLIMIT_FSIZE then fails with EFBIG instead of ending the process: ignores SIGXFSZ, unless the program has
/// set an action of its own. Process-wide, and children inherit it through exec.
void offline_ignore_file_size_signal(void);

/// Room on the file system of `path` for an unprivileged process, in bytes; -1 and errno on failure.
int64_t offline_available_bytes(const char *path);

/// Overwrites `length` bytes with zeros, although nobody may read them again.
void offline_wipe(void *bytes, size_t length);

/// Fills `length` bytes from the system's random generator. 0, or errno.
int offline_random_bytes(void *bytes, size_t length);

#endif
