#include "platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/random.h>
#endif
#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

// The reflected Castagnoli polynomial (RFC 3720, appendix B.4), eight bytes a step ("slicing by 8").
static uint32_t table[8][256];

__attribute__((constructor)) static void make_table(void) {
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = n;
        for (int k = 0; k < 8; k++) crc = crc & 1 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
        table[0][n] = crc;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++)
            table[k][n] = (table[k - 1][n] >> 8) ^ table[0][table[k - 1][n] & 0xFF];
}

uint32_t offline_crc32c_portable(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t crc = ~seed;
    while (length >= 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
        low ^= crc;
        crc = table[7][low & 0xFF] ^ table[6][(low >> 8) & 0xFF] ^ table[5][(low >> 16) & 0xFF] ^
              table[4][low >> 24] ^ table[3][high & 0xFF] ^ table[2][(high >> 8) & 0xFF] ^
              table[1][(high >> 16) & 0xFF] ^ table[0][high >> 24];
        p += 8;
        length -= 8;
    }
    while (length--) crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint64_t crc = ~seed;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = _mm_crc32_u64(crc, word);
        p += 8;
        length -= 8;
    }
    while (length--) crc = _mm_crc32_u8((uint32_t)crc, *p++);
    return ~(uint32_t)crc;
}
bool offline_crc32c_is_accelerated(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
__attribute__((target("crc"))) static uint32_t crc32c_hardware(uint32_t seed, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint32_t crc = ~seed;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __crc32cd(crc, word);
        p += 8;
        length -= 8;
    }
    while (length--) crc = __crc32cb(crc, *p++);
    return ~crc;
}
bool offline_crc32c_is_accelerated(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) >> 7) & 1;
#else
    return true;
#endif
}
#else
static uint32_t crc32c_hardware(uint32_t seed, const void *bytes, size_t length) {
    return offline_crc32c_portable(seed, bytes, length);
}
bool offline_crc32c_is_accelerated(void) { return false; }
#endif

static bool accelerated;
__attribute__((constructor)) static void choose(void) { accelerated = offline_crc32c_is_accelerated(); }

uint32_t offline_crc32c(uint32_t seed, const void *bytes, size_t length) {
    return accelerated ? crc32c_hardware(seed, bytes, length) : offline_crc32c_portable(seed, bytes, length);
}

bool offline_contains(const void *bytes, size_t length, const void *part, size_t part_length) {
    return memmem(bytes, length, part, part_length) != NULL;
}

int offline_lock_exclusive(int descriptor) {
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        return errno == EWOULDBLOCK ? EAGAIN : errno;
    }
    return 0;
}

int offline_open(const char *path, int flags, unsigned int mode) {
    int descriptor;
    do descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0 || descriptor > 2) return descriptor;
    // A host that closed its standard streams must not print into our file.
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    int reason = errno;
    close(descriptor);
    errno = reason;
    return moved;
}

int64_t offline_available_bytes(const char *path) {
    struct statvfs info;
    while (statvfs(path, &info) != 0)
        if (errno != EINTR) return -1;
    int64_t room;
    if (__builtin_mul_overflow((uint64_t)info.f_bavail, (uint64_t)info.f_frsize, &room)) return INT64_MAX;
    return room;
}

static int sync_all(int descriptor) {
    while (fsync(descriptor) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

int offline_sync_file(int descriptor) {
#if defined(__APPLE__)
    while (fcntl(descriptor, F_FULLFSYNC) != 0) {
        if (errno == EINTR) continue;
        if (errno == ENOTSUP || errno == EINVAL || errno == ENOTTY) return sync_all(descriptor);
        return errno;
    }
#else
    while (fdatasync(descriptor) != 0)
        if (errno != EINTR) return errno;
#endif
    return 0;
}

int offline_sync_folder(int descriptor) {
#if defined(__APPLE__)
    return offline_sync_file(descriptor);
#else
    return sync_all(descriptor);
#endif
}

void *offline_folder_open(int descriptor) {
    DIR *folder = fdopendir(descriptor);
    if (folder) return folder;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return NULL;
}

const char *offline_folder_next(void *folder, int *error) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    *error = entry ? 0 : errno;
    return entry ? entry->d_name : NULL;
}

void offline_folder_close(void *folder) { closedir(folder); }

void offline_ignore_file_size_signal(void) {
    struct sigaction action;
    if (sigaction(SIGXFSZ, NULL, &action) != 0) return;
    if ((action.sa_flags & SA_SIGINFO) || action.sa_handler != SIG_DFL) return;
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, NULL);
}

void offline_wipe(void *bytes, size_t length) {
    memset(bytes, 0, length);
    // Says that the memory is read here.
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

int offline_random_bytes(void *bytes, size_t length) {
#if defined(__linux__)
    uint8_t *p = bytes;
    while (length > 0) {
        ssize_t n = getrandom(p, length, 0);
        if (n < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        p += n;
        length -= (size_t)n;
    }
    return 0;
#else
    arc4random_buf(bytes, length);
    return 0;
#endif
}
