/* All three checks are reflected: bit 0 of a byte is the coefficient of the highest power. A polynomial of width W is held
   with bit i standing for x^(W-1-i). Tables and folding constants are computed once, before main, from the polynomials. */
#include "CDigests.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CRC32_POLYNOMIAL 0xEDB88320u
#define CRC32C_POLYNOMIAL 0x82F63B78u
#define CRC64NVME_POLYNOMIAL 0x9A6C9329AC4BC9B5ull

/* Fewer bytes than this are not worth folding. */
#define FOLD_MIN 128

typedef struct {
    uint64_t polynomial;
    int width;
    /* slices[k][b]: byte b followed by k zero bytes. */
    uint64_t slices[8][256];
    /* Multipliers that move a 16-byte block forward over 64 and over 16 bytes, for its first and second half. */
    uint64_t fold64[2], fold16[2];
} polynomial_t;

static polynomial_t crc32, crc32c, crc64nvme;
static int accelerated;

static inline uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* a * b modulo the polynomial. */
static uint64_t multiply(const polynomial_t *p, uint64_t a, uint64_t b) {
    uint64_t product = 0;
    for (uint64_t bit = 1ull << (p->width - 1); bit; bit >>= 1) {
        if (a & bit) product ^= b;
        b = (b >> 1) ^ (b & 1 ? p->polynomial : 0);
    }
    return product;
}

/* x^n modulo the polynomial. */
static uint64_t power_of_x(const polynomial_t *p, uint64_t n) {
    uint64_t result = 1ull << (p->width - 1), square = 1ull << (p->width - 2);
    for (; n; n >>= 1) {
        if (n & 1) result = multiply(p, result, square);
        square = multiply(p, square, square);
    }
    return result;
}

static void prepare(polynomial_t *p, uint64_t polynomial, int width) {
    p->polynomial = polynomial;
    p->width = width;
    for (int b = 0; b < 256; b++) {
        uint64_t v = (uint64_t)b;
        for (int i = 0; i < 8; i++) v = (v >> 1) ^ (v & 1 ? polynomial : 0);
        p->slices[0][b] = v;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++) {
            uint64_t v = p->slices[k - 1][b];
            p->slices[k][b] = (v >> 8) ^ p->slices[0][v & 255];
        }
    /* A reflected carry-less product of two 64-bit values lies one bit low, hence the exponents less one. */
    p->fold64[0] = power_of_x(p, 512 + 63) << (64 - width);
    p->fold64[1] = power_of_x(p, 512 - 1) << (64 - width);
    p->fold16[0] = power_of_x(p, 128 + 63) << (64 - width);
    p->fold16[1] = power_of_x(p, 128 - 1) << (64 - width);
}

__attribute__((constructor)) static void prepare_all(void) {
    prepare(&crc32, CRC32_POLYNOMIAL, 32);
    prepare(&crc32c, CRC32C_POLYNOMIAL, 32);
    prepare(&crc64nvme, CRC64NVME_POLYNOMIAL, 64);
#if defined(__x86_64__)
    __builtin_cpu_init();
    accelerated = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.2");
#endif
}

/* Slicing by 8 over the raw register, without the inversions at both ends. */
static uint64_t update_portable(const polynomial_t *p, uint64_t v, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        v ^= load64(bytes);
        v = p->slices[7][v & 255] ^ p->slices[6][(v >> 8) & 255] ^ p->slices[5][(v >> 16) & 255]
            ^ p->slices[4][(v >> 24) & 255] ^ p->slices[3][(v >> 32) & 255] ^ p->slices[2][(v >> 40) & 255]
            ^ p->slices[1][(v >> 48) & 255] ^ p->slices[0][v >> 56];
    }
    for (; count; bytes++, count--) v = (v >> 8) ^ p->slices[0][(v ^ *bytes) & 255];
    return v;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint64_t update_crc32c_instruction(
    uint64_t v, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) v = _mm_crc32_u64(v, load64(bytes));
    for (; count; bytes++, count--) v = _mm_crc32_u8((uint32_t)v, *bytes);
    return v;
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i x, __m128i k, __m128i next) {
    __m128i first = _mm_clmulepi64_si128(x, k, 0x00);
    __m128i second = _mm_clmulepi64_si128(x, k, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

/* Folds whole 16-byte blocks into one whose check, from a zero register, equals theirs from `v`. Needs count >= 64;
   stores the block and returns how many bytes it stands for. */
__attribute__((target("pclmul,sse4.1"))) static size_t fold_blocks(
    const polynomial_t *p, uint64_t v, const uint8_t *bytes, size_t count, uint8_t block[16]) {
    const uint8_t *start = bytes;
    __m128i x0 = _mm_loadu_si128((const __m128i *)bytes), x1 = _mm_loadu_si128((const __m128i *)(bytes + 16));
    __m128i x2 = _mm_loadu_si128((const __m128i *)(bytes + 32)), x3 = _mm_loadu_si128((const __m128i *)(bytes + 48));
    x0 = _mm_xor_si128(x0, _mm_set_epi64x(0, (long long)v));
    bytes += 64, count -= 64;
    __m128i k = _mm_set_epi64x((long long)p->fold64[1], (long long)p->fold64[0]);
    for (; count >= 64; bytes += 64, count -= 64) {
        x0 = fold(x0, k, _mm_loadu_si128((const __m128i *)bytes));
        x1 = fold(x1, k, _mm_loadu_si128((const __m128i *)(bytes + 16)));
        x2 = fold(x2, k, _mm_loadu_si128((const __m128i *)(bytes + 32)));
        x3 = fold(x3, k, _mm_loadu_si128((const __m128i *)(bytes + 48)));
    }
    k = _mm_set_epi64x((long long)p->fold16[1], (long long)p->fold16[0]);
    x0 = fold(fold(fold(x0, k, x1), k, x2), k, x3);
    for (; count >= 16; bytes += 16, count -= 16) x0 = fold(x0, k, _mm_loadu_si128((const __m128i *)bytes));
    _mm_storeu_si128((__m128i *)block, x0);
    return (size_t)(bytes - start);
}
#endif

static uint64_t update(const polynomial_t *p, uint64_t v, const uint8_t *bytes, size_t count) {
#if defined(__x86_64__)
    if (accelerated) {
        if (count >= FOLD_MIN) {
            uint8_t block[16];
            size_t done = fold_blocks(p, v, bytes, count, block);
            v = update_portable(p, 0, block, 16);
            bytes += done, count -= done;
        }
        if (p == &crc32c) return update_crc32c_instruction(v, bytes, count);
    }
#endif
    return update_portable(p, v, bytes, count);
}

uint32_t cdigests_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    return ~(uint32_t)update(&crc32, (uint32_t)~crc, bytes, count);
}

uint32_t cdigests_crc32_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    return ~(uint32_t)update_portable(&crc32, (uint32_t)~crc, bytes, count);
}

uint32_t cdigests_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    return ~(uint32_t)update(&crc32c, (uint32_t)~crc, bytes, count);
}

uint32_t cdigests_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    return ~(uint32_t)update_portable(&crc32c, (uint32_t)~crc, bytes, count);
}

uint64_t cdigests_crc64nvme(uint64_t crc, const uint8_t *bytes, size_t count) {
    return ~update(&crc64nvme, ~crc, bytes, count);
}

uint64_t cdigests_crc64nvme_portable(uint64_t crc, const uint8_t *bytes, size_t count) {
    return ~update_portable(&crc64nvme, ~crc, bytes, count);
}

/* x^(8 n), by squaring from x^8, so that 8 n never overflows. */
static uint64_t power_of_bytes(const polynomial_t *p, uint64_t n) {
    uint64_t result = 1ull << (p->width - 1), square = 1ull << (p->width - 9);
    for (; n; n >>= 1) {
        if (n & 1) result = multiply(p, result, square);
        square = multiply(p, square, square);
    }
    return result;
}

uint32_t cdigests_crc32_combine(uint32_t a, uint32_t b, uint64_t b_length) {
    return (uint32_t)multiply(&crc32, a, power_of_bytes(&crc32, b_length)) ^ b;
}

uint32_t cdigests_crc32c_combine(uint32_t a, uint32_t b, uint64_t b_length) {
    return (uint32_t)multiply(&crc32c, a, power_of_bytes(&crc32c, b_length)) ^ b;
}

uint64_t cdigests_crc64nvme_combine(uint64_t a, uint64_t b, uint64_t b_length) {
    return multiply(&crc64nvme, a, power_of_bytes(&crc64nvme, b_length)) ^ b;
}

int cdigests_is_accelerated(void) { return accelerated; }
