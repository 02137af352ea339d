// libvips' operations are variadic, which Swift does not import: one function per call that is used.
#ifndef OGW_CVIPS_H
#define OGW_CVIPS_H
#include <vips/vips.h>

static inline void cvips_ignore(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer context) {}

/// VIPS_INIT also checks that header and library agree. Warnings, one for each damaged row, are not printed:
/// what matters of them is in the error that the operation returns.
static inline int cvips_init(void) {
    if (VIPS_INIT("ogw-media") != 0) return -1;
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, cvips_ignore, NULL);
    return 0;
}

/// Reads the header only; pixels are decoded when asked for. `bytes` must outlive the image.
static inline VipsImage *cvips_open(const void *bytes, size_t count) {
    return vips_image_new_from_buffer(bytes, count, "", "access", VIPS_ACCESS_SEQUENTIAL,
                                      "fail_on", VIPS_FAIL_ON_ERROR, NULL);
}
/// Fits the image into a box of `width` x `height`; never enlarges. `bytes` must outlive the image.
/// The loader is told to fail by option string, as 8.14's thumbnail of a buffer drops its own `fail_on`.
static inline int cvips_thumbnail(const void *bytes, size_t count, VipsImage **out, int width, int height) {
    return vips_thumbnail_buffer((void *)bytes, count, out, width, "height", height, "size", VIPS_SIZE_DOWN,
                                 "option_string", "[fail_on=error]", NULL);
}
/// Transparent pixels become white, as JPEG knows none. The bytes belong to the caller, who ends them with g_free.
static inline int cvips_jpeg(VipsImage *image, void **bytes, size_t *count, int quality) {
    const double white[] = {255};
    VipsArrayDouble *background = vips_array_double_new(white, 1);
    int failed = vips_jpegsave_buffer(image, bytes, count, "Q", quality, "strip", TRUE, "background", background, NULL);
    vips_area_unref(VIPS_AREA(background));
    return failed;
}
/// The loader of the image, such as "pngload_buffer", or NULL. Owned by the image.
static inline const char *cvips_loader(VipsImage *image) {
    const char *name = NULL;
    if (vips_image_get_typeof(image, VIPS_META_LOADER) == 0) return NULL;
    return vips_image_get_string(image, VIPS_META_LOADER, &name) == 0 ? name : NULL;
}
static inline int cvips_has_alpha(VipsImage *image) { return vips_image_hasalpha(image); }
static inline void cvips_close(VipsImage *image) { g_object_unref(image); }
#endif
