// The console's files as bytes of the program. Each file of `templates` and `assets` has its entry here; a test sees to
// it. Files of `vendor` are fetched at set-up (Scripts/fetch-vendor) and are left out when they are not there.
#include "console_files.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// clang-format off
static const struct console_file files[] = {
    {"assets/icons.svg", (const unsigned char[]){
#embed "assets/icons.svg" suffix(,) if_empty()
    0}},
    {"assets/mark.svg", (const unsigned char[]){
#embed "assets/mark.svg" suffix(,) if_empty()
    0}},
    {"assets/tidegate.css", (const unsigned char[]){
#embed "assets/tidegate.css" suffix(,) if_empty()
    0}},
    {"assets/tidegate.js", (const unsigned char[]){
#embed "assets/tidegate.js" suffix(,) if_empty()
    0}},
    {"templates/badge.mustache", (const unsigned char[]){
#embed "templates/badge.mustache" suffix(,) if_empty()
    0}},
    {"templates/connect.mustache", (const unsigned char[]){
#embed "templates/connect.mustache" suffix(,) if_empty()
    0}},
    {"templates/consent-done.mustache", (const unsigned char[]){
#embed "templates/consent-done.mustache" suffix(,) if_empty()
    0}},
    {"templates/consent.mustache", (const unsigned char[]){
#embed "templates/consent.mustache" suffix(,) if_empty()
    0}},
    {"templates/continue.mustache", (const unsigned char[]){
#embed "templates/continue.mustache" suffix(,) if_empty()
    0}},
    {"templates/error.mustache", (const unsigned char[]){
#embed "templates/error.mustache" suffix(,) if_empty()
    0}},
    {"templates/overview.mustache", (const unsigned char[]){
#embed "templates/overview.mustache" suffix(,) if_empty()
    0}},
    {"templates/plain.mustache", (const unsigned char[]){
#embed "templates/plain.mustache" suffix(,) if_empty()
    0}},
    {"templates/shell.mustache", (const unsigned char[]){
#embed "templates/shell.mustache" suffix(,) if_empty()
    0}},
#if __has_embed("vendor/uPlot.css")
    {"vendor/uPlot.css", (const unsigned char[]){
#embed "vendor/uPlot.css" suffix(,) if_empty()
    0}},
#endif
#if __has_embed("vendor/uPlot.js")
    {"vendor/uPlot.js", (const unsigned char[]){
#embed "vendor/uPlot.js" suffix(,) if_empty()
    0}},
#endif
};
// clang-format on

const struct console_file *console_file_at(size_t index) {
    return index < sizeof files / sizeof *files ? &files[index] : NULL;
}
