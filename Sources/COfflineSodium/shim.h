// libsodium: ciphers, keyed hashes, the passphrase's hash, and memory for keys.
#ifndef OFFLINE_SODIUM_H
#define OFFLINE_SODIUM_H
#include <sodium.h>
#endif
