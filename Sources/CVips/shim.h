// What Swift cannot import of libvips and GObject: variadic calls, macros, signals.
#ifndef OGW_CVIPS_H
#define OGW_CVIPS_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
// _GNU_SOURCE also turns on X/Open's name of a member of fd_set, which Swift's own Glibc module does without.
#include <features.h>
#undef __USE_XOPEN
#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <gmodule.h>
#include <vips/vips.h>

static inline void cvips_ignore(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer context) {}

/// A module of libvips by its file's name, out of the folder beside the library. 0 on success.
static inline int cvips_load_module(const char *name) {
    Dl_info library;
    if (dladdr((const void *)(uintptr_t)vips_shutdown, &library) == 0) return -1;
    char *folder = g_path_get_dirname(library.dli_fname);
    char *path = g_strdup_printf("%s/vips-modules-%d.%d/%s", folder, vips_version(0), vips_version(1), name);
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY);
    g_free(path);
    g_free(folder);
    return module == NULL ? -1 : 0;
}

/// libvips is told a home without modules, as it would load ImageMagick, OpenSlide and others with theirs.
/// VIPS_INIT also checks that header and library agree. Warnings, one for each damaged row, are not printed:
/// what matters of them is in the error that the operation returns.
static inline int cvips_init(void) {
    g_setenv("VIPSHOME", "/nonexistent", TRUE);
    if (VIPS_INIT("ogw-media") != 0) return -1;
    // Where a build of libvips has it inside, there is no such module.
    cvips_load_module("vips-heif.so");
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, cvips_ignore, NULL);
    return 0;
}
/// Whole pictures go back to the kernel when they are freed, and threads share one heap, so that a helper stays small between
/// jobs; rows that are worked on come from the heap, which keeps some, as the kernel takes its time to give zeroed pages.
static inline void cvips_bound_heap(void) {
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

static inline void cvips_set_int(VipsOperation *operation, const char *name, int value) {
    g_object_set(operation, name, value, NULL);
}
static inline void cvips_set_double(VipsOperation *operation, const char *name, double value) {
    g_object_set(operation, name, value, NULL);
}
/// The operation keeps its own reference.
static inline void cvips_set_image(VipsOperation *operation, const char *name, VipsImage *value) {
    g_object_set(operation, name, value, NULL);
}
/// Copies the text.
static inline void cvips_set_string(VipsOperation *operation, const char *name, const char *value) {
    g_object_set(operation, name, value, NULL);
}
static inline void cvips_set_doubles(VipsOperation *operation, const char *name, const double *values, int count) {
    VipsArrayDouble *array = vips_array_double_new(values, count);
    g_object_set(operation, name, array, NULL);
    vips_area_unref(VIPS_AREA(array));
}
/// Images for an operation that takes several; it keeps its own references.
static inline void cvips_set_images(VipsOperation *operation, const char *name, VipsImage **values, int count) {
    VipsArrayImage *array = vips_array_image_new(values, count);
    g_object_set(operation, name, array, NULL);
    vips_area_unref(VIPS_AREA(array));
}
/// The bytes are copied, and live as long as what is made of them.
static inline void cvips_set_bytes(VipsOperation *operation, const char *name, const void *bytes, size_t count) {
    VipsBlob *blob = vips_blob_copy(bytes, count);
    g_object_set(operation, name, blob, NULL);
    vips_area_unref(VIPS_AREA(blob));
}
/// An enumeration's value by its nickname, such as "attention". 0 on success.
static inline int cvips_set_enum(VipsOperation *operation, const char *name, const char *nickname) {
    return vips_object_set_argument_from_string(VIPS_OBJECT(operation), name, nickname);
}
/// Runs the operation; 0 on success. Where it fails, its outputs are given up.
static inline int cvips_run(VipsOperation *operation) {
    if (vips_object_build(VIPS_OBJECT(operation)) == 0) return 0;
    vips_object_unref_outputs(VIPS_OBJECT(operation));
    return -1;
}
/// A reference that belongs to the caller, or NULL.
static inline VipsImage *cvips_output_image(VipsOperation *operation, const char *name) {
    VipsImage *image = NULL;
    g_object_get(operation, name, &image, NULL);
    return image;
}
static inline int cvips_output_int(VipsOperation *operation, const char *name) {
    int value = 0;
    g_object_get(operation, name, &value, NULL);
    return value;
}
static inline double cvips_output_double(VipsOperation *operation, const char *name) {
    double value = 0;
    g_object_get(operation, name, &value, NULL);
    return value;
}
/// Ends an operation; what its image outputs still count is given up, unless somebody asked for them.
static inline void cvips_end(VipsOperation *operation, int ran) {
    if (ran) vips_object_unref_outputs(VIPS_OBJECT(operation));
    g_object_unref(operation);
}
static inline void cvips_close(VipsImage *image) { g_object_unref(image); }

/// Calls `watch` with the percentage while pixels of `image` are made. Where it returns other than 0, the work is stopped
/// with an error.
struct cvips_watcher {
    int (*watch)(void *context, int percent);
    void *context;
};
static inline void cvips_on_eval(VipsImage *image, VipsProgress *progress, gpointer data) {
    struct cvips_watcher *watcher = data;
    if (watcher->watch(watcher->context, progress->percent) != 0) vips_image_set_kill(image, TRUE);
}
/// The watcher must live until cvips_unwatch.
static inline gulong cvips_watch(VipsImage *image, struct cvips_watcher *watcher) {
    vips_image_set_progress(image, TRUE);
    return g_signal_connect(image, "eval", G_CALLBACK(cvips_on_eval), watcher);
}
static inline void cvips_unwatch(VipsImage *image, gulong handler) {
    g_signal_handler_disconnect(image, handler);
    vips_image_set_progress(image, FALSE);
}

/// Blocks every loader, then allows the few that are wanted and, where asked for, those of documents.
static inline void cvips_allow_loaders(int documents) {
    vips_operation_block_set("VipsForeignLoad", TRUE);
    vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
    vips_operation_block_set("VipsForeignLoadPng", FALSE);
    vips_operation_block_set("VipsForeignLoadWebp", FALSE);
    vips_operation_block_set("VipsForeignLoadNsgif", FALSE);
    vips_operation_block_set("VipsForeignLoadTiff", FALSE);
    vips_operation_block_set("VipsForeignLoadHeif", FALSE);
    if (documents) {
        cvips_load_module("vips-poppler.so");
        vips_operation_block_set("VipsForeignLoadSvg", FALSE);
        vips_operation_block_set("VipsForeignLoadPdf", FALSE);
    }
}
/// The text of a header field, owned by the caller, who ends it with g_free; NULL where it is absent.
static inline char *cvips_text(VipsImage *image, const char *name) {
    char *text = NULL;
    if (vips_image_get_typeof(image, name) == 0) return NULL;
    return vips_image_get_as_string(image, name, &text) == 0 ? text : NULL;
}
static inline int cvips_has(VipsImage *image, const char *name) { return vips_image_get_typeof(image, name) != 0; }
static inline int cvips_has_alpha(VipsImage *image) { return vips_image_hasalpha(image); }
#endif
