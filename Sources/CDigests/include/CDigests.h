#ifndef CDIGESTS_H
#define CDIGESTS_H
#include <stddef.h>
#include <stdint.h>

/* Cyclic redundancy checks, continued: `crc` is the value of the bytes before (0 at the start), the result that of all.
   The first of each pair picks the processor's instructions at run time; the second is portable and serves as its proof. */
uint32_t cdigests_crc32(uint32_t crc, const uint8_t *bytes, size_t count);
uint32_t cdigests_crc32_portable(uint32_t crc, const uint8_t *bytes, size_t count);
uint32_t cdigests_crc32c(uint32_t crc, const uint8_t *bytes, size_t count);
uint32_t cdigests_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count);
uint64_t cdigests_crc64nvme(uint64_t crc, const uint8_t *bytes, size_t count);
uint64_t cdigests_crc64nvme_portable(uint64_t crc, const uint8_t *bytes, size_t count);

/* The value of A followed by B, from the values of both and B's length in bytes. */
uint32_t cdigests_crc32_combine(uint32_t a, uint32_t b, uint64_t b_length);
uint32_t cdigests_crc32c_combine(uint32_t a, uint32_t b, uint64_t b_length);
uint64_t cdigests_crc64nvme_combine(uint64_t a, uint64_t b, uint64_t b_length);

/* 1 when the processor's instructions are in use. */
int cdigests_is_accelerated(void);

#endif
