/* Each file that the default file system opens stays its own: only its table of methods is replaced by a copy in which reading,
   writing, control and closing are ours. The copy, and what else is known of the file, lies behind its own structure. */
#include "CPageChecks.h"
#include "CDigests.h"
#include <sqlite3.h>
#include <stddef.h>
#include <string.h>

#define PAGE CPAGECHECKS_PAGE_SIZE
#define RESERVED CPAGECHECKS_RESERVED
/* sqlite.org/fileformat2.html#the_write_ahead_log */
#define LOG_HEADER 32
#define FRAME_HEADER 24
#define FRAME (FRAME_HEADER + PAGE)
/* Codes of `sqlite3_file_control` above 100 are free for use. */
#define CONTROL_GET 7301
#define CONTROL_SET 7302

typedef struct extra {
    const sqlite3_io_methods *methods;
    sqlite3_io_methods own;
    /* Of a database its log's, and the other way round; null while that is not open. */
    struct extra *partner;
    int is_log;
    int has_checks;
    int is_checkpointing;
    int64_t damaged_page;
    int damaged_is_in_log;
    /* Of a log: a frame was written over within a transaction, and the check values after it follow at its end. */
    int has_stale_frames;
    int64_t last_frame_header;
} extra;

static sqlite3_vfs *base;
static sqlite3_vfs checked;
static size_t extra_offset;

static extra *extra_of(sqlite3_file *file) { return (extra *)((char *)file + extra_offset); }

static uint64_t check_value(const uint8_t *page, int64_t number) {
    /* Begun with the page's number: a page in another's place does not check. */
    return cdigests_crc64nvme((uint64_t)number, page, PAGE - RESERVED);
}

int cpagechecks_is_whole(const uint8_t page[PAGE], int64_t number) {
    uint64_t value = check_value(page, number);
    uint8_t bytes[RESERVED];
    for (int i = 0; i < RESERVED; i++) bytes[i] = (uint8_t)(value >> (8 * i));
    return memcmp(page + PAGE - RESERVED, bytes, RESERVED) == 0;
}

static int damaged(extra *self, int64_t page, int is_in_log) {
    extra *database = self->is_log ? self->partner : self;
    if (database) {
        database->damaged_page = page;
        database->damaged_is_in_log = is_in_log;
    }
    return SQLITE_IOERR_DATA;
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t word(const uint8_t *p, int is_big) {
    return is_big ? big_endian(p) : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static void add_words(const uint8_t *bytes, int count, int is_big, uint32_t sum[2]) {
    for (int i = 0; i < count; i += 8) {
        sum[0] += word(bytes + i, is_big) + sum[1];
        sum[1] += word(bytes + i + 4, is_big) + sum[0];
    }
}

/* Compares a page of the log, which begins at `offset`, with its frame's header. */
static int check_frame(sqlite3_file *file, extra *self, const uint8_t *page, sqlite3_int64 offset) {
    uint8_t magic[4], before[8], header[FRAME_HEADER];
    sqlite3_int64 start = offset - FRAME_HEADER;
    /* The frame before ends its header with what this one's sum goes on from; the first goes on from the log's own header. */
    sqlite3_int64 sum_offset = start == LOG_HEADER ? 24 : start - FRAME + 16;
    int code = self->methods->xRead(file, magic, sizeof magic, 0);
    if (code == SQLITE_OK) code = self->methods->xRead(file, before, sizeof before, sum_offset);
    if (code == SQLITE_OK) code = self->methods->xRead(file, header, sizeof header, start);
    if (code != SQLITE_OK) return code;
    int is_big = magic[3] & 1;
    uint32_t sum[2] = {big_endian(before), big_endian(before + 4)};
    add_words(header, 8, is_big, sum);
    add_words(page, PAGE, is_big, sum);
    if (sum[0] == big_endian(header + 16) && sum[1] == big_endian(header + 20)) return SQLITE_OK;
    return damaged(self, big_endian(header), 1);
}

static int read_log(sqlite3_file *file, extra *self, void *buffer, int count, sqlite3_int64 offset) {
    int code = self->methods->xRead(file, buffer, count, offset);
    if (code != SQLITE_OK || count != PAGE) return code;
    if (offset < LOG_HEADER + FRAME_HEADER || (offset - LOG_HEADER - FRAME_HEADER) % FRAME != 0) return code;
    /* A checkpoint reads what is committed, and that always checks. */
    int is_checkpointing = self->partner && self->partner->is_checkpointing;
    if (self->has_stale_frames && !is_checkpointing) return code;
    return check_frame(file, self, buffer, offset);
}

static int read_file(sqlite3_file *file, void *buffer, int count, sqlite3_int64 offset) {
    extra *self = extra_of(file);
    if (self->is_log) return read_log(file, self, buffer, count, offset);
    int code = self->methods->xRead(file, buffer, count, offset);
    /* Less than the smallest page is a look at the header, which is read again as a page before it counts. */
    if (!self->has_checks || count < 512) return code;
    /* Behind the end of the file there is nothing to compare. */
    if (code == SQLITE_IOERR_SHORT_READ) {
        const uint8_t *bytes = buffer;
        for (int i = 0; i < count; i++)
            if (bytes[i]) return damaged(self, offset / PAGE + 1, 0);
        return code;
    }
    if (code != SQLITE_OK) return code;
    if (count != PAGE || offset % PAGE != 0) return damaged(self, offset / PAGE + 1, 0);
    return cpagechecks_is_whole(buffer, offset / PAGE + 1) ? SQLITE_OK : damaged(self, offset / PAGE + 1, 0);
}

static int write_file(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset) {
    extra *self = extra_of(file);
    if (self->is_log) {
        /* A page that does not follow its frame's header is written over one that is not committed yet. */
        if (count == FRAME_HEADER) self->last_frame_header = offset;
        if (count == PAGE && self->last_frame_header != offset - FRAME_HEADER) self->has_stale_frames = 1;
        return self->methods->xWrite(file, buffer, count, offset);
    }
    /* Whether there is room is decided by the first page. */
    if (offset == 0 && count >= 100) self->has_checks = ((const uint8_t *)buffer)[20] == RESERVED;
    if (!self->has_checks || count != PAGE || offset % PAGE != 0)
        return self->methods->xWrite(file, buffer, count, offset);
    uint8_t page[PAGE];
    memcpy(page, buffer, PAGE - RESERVED);
    uint64_t value = check_value(page, offset / PAGE + 1);
    for (int i = 0; i < RESERVED; i++) page[PAGE - RESERVED + i] = (uint8_t)(value >> (8 * i));
    return self->methods->xWrite(file, page, PAGE, offset);
}

static int control_file(sqlite3_file *file, int code, void *argument) {
    extra *self = extra_of(file);
    switch (code) {
    case CONTROL_GET: {
        cpagechecks_state *state = argument;
        state->has_checks = self->has_checks;
        state->damaged_page = self->damaged_page;
        state->is_in_log = self->damaged_is_in_log;
        return SQLITE_OK;
    }
    case CONTROL_SET: self->has_checks = *(int *)argument; return SQLITE_OK;
    case SQLITE_FCNTL_CKPT_START: self->is_checkpointing = 1; break;
    case SQLITE_FCNTL_CKPT_DONE:
        self->is_checkpointing = 0;
        /* No transaction is open. */
        if (self->partner) self->partner->has_stale_frames = 0;
        break;
    }
    return self->methods->xFileControl(file, code, argument);
}

static int close_file(sqlite3_file *file) {
    extra *self = extra_of(file);
    if (self->partner) self->partner->partner = NULL;
    file->pMethods = self->methods;
    return file->pMethods->xClose(file);
}

/* Whether pages have room for check values: in a new file they will. */
static int has_room(sqlite3_file *file) {
    uint8_t header[100];
    return file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK || header[20] != 0;
}

static int open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    extra *self = extra_of(file);
    memset(self, 0, sizeof *self);
    int code = base->xOpen(base, name, file, flags, out_flags);
    if (code != SQLITE_OK || !file->pMethods || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))) return code;
    self->methods = file->pMethods;
    self->own = *file->pMethods;
    /* Version 3 maps files into memory, past `read`. */
    if (self->own.iVersion > 2) self->own.iVersion = 2;
    self->own.xClose = close_file;
    self->own.xRead = read_file;
    self->own.xWrite = write_file;
    self->own.xFileControl = control_file;
    if (flags & SQLITE_OPEN_WAL) {
        self->is_log = 1;
        self->last_frame_header = -1;
        sqlite3_file *database = sqlite3_database_file_object(name);
        if (database && database->pMethods && database->pMethods->xRead == read_file) {
            self->partner = extra_of(database);
            self->partner->partner = self;
        }
    } else {
        self->has_checks = has_room(file);
    }
    file->pMethods = &self->own;
    return SQLITE_OK;
}

int cpagechecks_register(void) {
    if (base) return SQLITE_OK;
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    if (!found) return SQLITE_ERROR;
    extra_offset = ((size_t)found->szOsFile + 15) & ~(size_t)15;
    checked = *found;
    checked.szOsFile = (int)(extra_offset + sizeof(extra));
    checked.pNext = NULL;
    checked.zName = CPAGECHECKS_NAME;
    checked.xOpen = open_file;
    int code = sqlite3_vfs_register(&checked, 0);
    if (code == SQLITE_OK) base = found;
    return code;
}

int cpagechecks_get(sqlite3 *connection, cpagechecks_state *state) {
    return sqlite3_file_control(connection, "main", CONTROL_GET, state);
}

int cpagechecks_make_room(sqlite3 *connection) {
    int reserved = RESERVED;
    return sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
}

int cpagechecks_set(sqlite3 *connection, int has_checks) {
    return sqlite3_file_control(connection, "main", CONTROL_SET, &has_checks);
}
