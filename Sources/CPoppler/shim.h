// Poppler through GLib, of which libvips' PDF loader is made too; here for the text and the properties of a document.
#ifndef OGW_CPOPPLER_H
#define OGW_CPOPPLER_H
#include <glib.h>
#include <poppler.h>

/// The bytes are copied. A reference that belongs to the caller, or NULL.
static inline PopplerDocument *cpoppler_open(const void *bytes, size_t count) {
    GBytes *copy = g_bytes_new(bytes, count);
    PopplerDocument *document = poppler_document_new_from_bytes(copy, NULL, NULL);
    g_bytes_unref(copy);
    return document;
}
static inline void cpoppler_close(PopplerDocument *document) { g_object_unref(document); }
static inline int cpoppler_pages(PopplerDocument *document) { return poppler_document_get_n_pages(document); }
/// The text of a page, which the caller ends with g_free, or NULL.
static inline char *cpoppler_text(PopplerDocument *document, int index) {
    PopplerPage *page = poppler_document_get_page(document, index);
    if (page == NULL) return NULL;
    char *text = poppler_page_get_text(page);
    g_object_unref(page);
    return text;
}
static inline void cpoppler_page_size(PopplerDocument *document, int index, double *width, double *height) {
    *width = *height = 0;
    PopplerPage *page = poppler_document_get_page(document, index);
    if (page == NULL) return;
    poppler_page_get_size(page, width, height);
    g_object_unref(page);
}
/// Each ends with g_free, or is NULL.
static inline char *cpoppler_title(PopplerDocument *document) { return poppler_document_get_title(document); }
static inline char *cpoppler_author(PopplerDocument *document) { return poppler_document_get_author(document); }
static inline char *cpoppler_subject(PopplerDocument *document) { return poppler_document_get_subject(document); }
static inline char *cpoppler_creator(PopplerDocument *document) { return poppler_document_get_creator(document); }
#endif
