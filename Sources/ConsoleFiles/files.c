// The console's files as bytes of the program. Each file of `templates` and `assets` has its entry here; a test sees to
// it. Files of `vendor` are fetched at set-up (Scripts/fetch-vendor) and are left out when they are not there.
#include "console_files.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// clang-format off
static const struct console_file files[] = {
    {"assets/charts.js", (const unsigned char[]){
#embed "assets/charts.js" suffix(,) if_empty()
    0}},
    {"assets/icons.svg", (const unsigned char[]){
#embed "assets/icons.svg" suffix(,) if_empty()
    0}},
    {"assets/mark.svg", (const unsigned char[]){
#embed "assets/mark.svg" suffix(,) if_empty()
    0}},
    {"assets/proving.js", (const unsigned char[]){
#embed "assets/proving.js" suffix(,) if_empty()
    0}},
    {"assets/sites.js", (const unsigned char[]){
#embed "assets/sites.js" suffix(,) if_empty()
    0}},
    {"assets/tidegate.css", (const unsigned char[]){
#embed "assets/tidegate.css" suffix(,) if_empty()
    0}},
    {"assets/tidegate.js", (const unsigned char[]){
#embed "assets/tidegate.js" suffix(,) if_empty()
    0}},
    {"assets/uploads.js", (const unsigned char[]){
#embed "assets/uploads.js" suffix(,) if_empty()
    0}},
    {"templates/alert.mustache", (const unsigned char[]){
#embed "templates/alert.mustache" suffix(,) if_empty()
    0}},
    {"templates/alert-rule.mustache", (const unsigned char[]){
#embed "templates/alert-rule.mustache" suffix(,) if_empty()
    0}},
    {"templates/alert-rule-form.mustache", (const unsigned char[]){
#embed "templates/alert-rule-form.mustache" suffix(,) if_empty()
    0}},
    {"templates/alert-rules.mustache", (const unsigned char[]){
#embed "templates/alert-rules.mustache" suffix(,) if_empty()
    0}},
    {"templates/alerts.mustache", (const unsigned char[]){
#embed "templates/alerts.mustache" suffix(,) if_empty()
    0}},
    {"templates/audit.mustache", (const unsigned char[]){
#embed "templates/audit.mustache" suffix(,) if_empty()
    0}},
    {"templates/audit-entry.mustache", (const unsigned char[]){
#embed "templates/audit-entry.mustache" suffix(,) if_empty()
    0}},
    {"templates/audit-sessions.mustache", (const unsigned char[]){
#embed "templates/audit-sessions.mustache" suffix(,) if_empty()
    0}},
    {"templates/audit-verification.mustache", (const unsigned char[]){
#embed "templates/audit-verification.mustache" suffix(,) if_empty()
    0}},
    {"templates/badge.mustache", (const unsigned char[]){
#embed "templates/badge.mustache" suffix(,) if_empty()
    0}},
    {"templates/block.mustache", (const unsigned char[]){
#embed "templates/block.mustache" suffix(,) if_empty()
    0}},
    {"templates/bulk.mustache", (const unsigned char[]){
#embed "templates/bulk.mustache" suffix(,) if_empty()
    0}},
    {"templates/bulk-run.mustache", (const unsigned char[]){
#embed "templates/bulk-run.mustache" suffix(,) if_empty()
    0}},
    {"templates/bulk-runs.mustache", (const unsigned char[]){
#embed "templates/bulk-runs.mustache" suffix(,) if_empty()
    0}},
    {"templates/campaign-form.mustache", (const unsigned char[]){
#embed "templates/campaign-form.mustache" suffix(,) if_empty()
    0}},
    {"templates/campaign-group.mustache", (const unsigned char[]){
#embed "templates/campaign-group.mustache" suffix(,) if_empty()
    0}},
    {"templates/campaign.mustache", (const unsigned char[]){
#embed "templates/campaign.mustache" suffix(,) if_empty()
    0}},
    {"templates/campaigns.mustache", (const unsigned char[]){
#embed "templates/campaigns.mustache" suffix(,) if_empty()
    0}},
    {"templates/carried.mustache", (const unsigned char[]){
#embed "templates/carried.mustache" suffix(,) if_empty()
    0}},
    {"templates/configuration.mustache", (const unsigned char[]){
#embed "templates/configuration.mustache" suffix(,) if_empty()
    0}},
    {"templates/confirm.mustache", (const unsigned char[]){
#embed "templates/confirm.mustache" suffix(,) if_empty()
    0}},
    {"templates/connect.mustache", (const unsigned char[]){
#embed "templates/connect.mustache" suffix(,) if_empty()
    0}},
    {"templates/connect-device.mustache", (const unsigned char[]){
#embed "templates/connect-device.mustache" suffix(,) if_empty()
    0}},
    {"templates/consent.mustache", (const unsigned char[]){
#embed "templates/consent.mustache" suffix(,) if_empty()
    0}},
    {"templates/consent-done.mustache", (const unsigned char[]){
#embed "templates/consent-done.mustache" suffix(,) if_empty()
    0}},
    {"templates/continue.mustache", (const unsigned char[]){
#embed "templates/continue.mustache" suffix(,) if_empty()
    0}},
    {"templates/demo.mustache", (const unsigned char[]){
#embed "templates/demo.mustache" suffix(,) if_empty()
    0}},
    {"templates/device.mustache", (const unsigned char[]){
#embed "templates/device.mustache" suffix(,) if_empty()
    0}},
    {"templates/devices.mustache", (const unsigned char[]){
#embed "templates/devices.mustache" suffix(,) if_empty()
    0}},
    {"templates/directory-ways.mustache", (const unsigned char[]){
#embed "templates/directory-ways.mustache" suffix(,) if_empty()
    0}},
    {"templates/edits.mustache", (const unsigned char[]){
#embed "templates/edits.mustache" suffix(,) if_empty()
    0}},
    {"templates/error.mustache", (const unsigned char[]){
#embed "templates/error.mustache" suffix(,) if_empty()
    0}},
    {"templates/file-line.mustache", (const unsigned char[]){
#embed "templates/file-line.mustache" suffix(,) if_empty()
    0}},
    {"templates/files.mustache", (const unsigned char[]){
#embed "templates/files.mustache" suffix(,) if_empty()
    0}},
    {"templates/firmware-confirm.mustache", (const unsigned char[]){
#embed "templates/firmware-confirm.mustache" suffix(,) if_empty()
    0}},
    {"templates/firmware-tabs.mustache", (const unsigned char[]){
#embed "templates/firmware-tabs.mustache" suffix(,) if_empty()
    0}},
    {"templates/firmware.mustache", (const unsigned char[]){
#embed "templates/firmware.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-again.mustache", (const unsigned char[]){
#embed "templates/gate-again.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-arrival.mustache", (const unsigned char[]){
#embed "templates/gate-arrival.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-certificate.mustache", (const unsigned char[]){
#embed "templates/gate-certificate.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-choose.mustache", (const unsigned char[]){
#embed "templates/gate-choose.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-enrol.mustache", (const unsigned char[]){
#embed "templates/gate-enrol.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-forgotten.mustache", (const unsigned char[]){
#embed "templates/gate-forgotten.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-organisation.mustache", (const unsigned char[]){
#embed "templates/gate-organisation.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-proof.mustache", (const unsigned char[]){
#embed "templates/gate-proof.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-provider.mustache", (const unsigned char[]){
#embed "templates/gate-provider.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-recovery.mustache", (const unsigned char[]){
#embed "templates/gate-recovery.mustache" suffix(,) if_empty()
    0}},
    {"templates/gate-sign-in.mustache", (const unsigned char[]){
#embed "templates/gate-sign-in.mustache" suffix(,) if_empty()
    0}},
    {"templates/holders.mustache", (const unsigned char[]){
#embed "templates/holders.mustache" suffix(,) if_empty()
    0}},
    {"templates/import.mustache", (const unsigned char[]){
#embed "templates/import.mustache" suffix(,) if_empty()
    0}},
    {"templates/map.mustache", (const unsigned char[]){
#embed "templates/map.mustache" suffix(,) if_empty()
    0}},
    {"templates/map-devices.mustache", (const unsigned char[]){
#embed "templates/map-devices.mustache" suffix(,) if_empty()
    0}},
    {"templates/operation.mustache", (const unsigned char[]){
#embed "templates/operation.mustache" suffix(,) if_empty()
    0}},
    {"templates/operations.mustache", (const unsigned char[]){
#embed "templates/operations.mustache" suffix(,) if_empty()
    0}},
    {"templates/order.mustache", (const unsigned char[]){
#embed "templates/order.mustache" suffix(,) if_empty()
    0}},
    {"templates/overview.mustache", (const unsigned char[]){
#embed "templates/overview.mustache" suffix(,) if_empty()
    0}},
    {"templates/passkey-fault.mustache", (const unsigned char[]){
#embed "templates/passkey-fault.mustache" suffix(,) if_empty()
    0}},
    {"templates/plain.mustache", (const unsigned char[]){
#embed "templates/plain.mustache" suffix(,) if_empty()
    0}},
    {"templates/profile.mustache", (const unsigned char[]){
#embed "templates/profile.mustache" suffix(,) if_empty()
    0}},
    {"templates/profile-password.mustache", (const unsigned char[]){
#embed "templates/profile-password.mustache" suffix(,) if_empty()
    0}},
    {"templates/profile-programs.mustache", (const unsigned char[]){
#embed "templates/profile-programs.mustache" suffix(,) if_empty()
    0}},
    {"templates/profile-reach.mustache", (const unsigned char[]){
#embed "templates/profile-reach.mustache" suffix(,) if_empty()
    0}},
    {"templates/profile-sessions.mustache", (const unsigned char[]){
#embed "templates/profile-sessions.mustache" suffix(,) if_empty()
    0}},
    {"templates/profile-tabs.mustache", (const unsigned char[]){
#embed "templates/profile-tabs.mustache" suffix(,) if_empty()
    0}},
    {"templates/reach-preview.mustache", (const unsigned char[]){
#embed "templates/reach-preview.mustache" suffix(,) if_empty()
    0}},
    {"templates/release-form.mustache", (const unsigned char[]){
#embed "templates/release-form.mustache" suffix(,) if_empty()
    0}},
    {"templates/release.mustache", (const unsigned char[]){
#embed "templates/release.mustache" suffix(,) if_empty()
    0}},
    {"templates/releases.mustache", (const unsigned char[]){
#embed "templates/releases.mustache" suffix(,) if_empty()
    0}},
    {"templates/report-access.mustache", (const unsigned char[]){
#embed "templates/report-access.mustache" suffix(,) if_empty()
    0}},
    {"templates/report-failures.mustache", (const unsigned char[]){
#embed "templates/report-failures.mustache" suffix(,) if_empty()
    0}},
    {"templates/report-mails.mustache", (const unsigned char[]){
#embed "templates/report-mails.mustache" suffix(,) if_empty()
    0}},
    {"templates/report-versions.mustache", (const unsigned char[]){
#embed "templates/report-versions.mustache" suffix(,) if_empty()
    0}},
    {"templates/rules.mustache", (const unsigned char[]){
#embed "templates/rules.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings.mustache", (const unsigned char[]){
#embed "templates/settings.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-act.mustache", (const unsigned char[]){
#embed "templates/settings-act.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-cell.mustache", (const unsigned char[]){
#embed "templates/settings-cell.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-form.mustache", (const unsigned char[]){
#embed "templates/settings-form.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-list.mustache", (const unsigned char[]){
#embed "templates/settings-list.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-record.mustache", (const unsigned char[]){
#embed "templates/settings-record.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-secret.mustache", (const unsigned char[]){
#embed "templates/settings-secret.mustache" suffix(,) if_empty()
    0}},
    {"templates/settings-tabs.mustache", (const unsigned char[]){
#embed "templates/settings-tabs.mustache" suffix(,) if_empty()
    0}},
    {"templates/shell.mustache", (const unsigned char[]){
#embed "templates/shell.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites.mustache", (const unsigned char[]){
#embed "templates/sites.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-changes.mustache", (const unsigned char[]){
#embed "templates/sites-changes.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-end.mustache", (const unsigned char[]){
#embed "templates/sites-end.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-grant.mustache", (const unsigned char[]){
#embed "templates/sites-grant.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-move.mustache", (const unsigned char[]){
#embed "templates/sites-move.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-people.mustache", (const unsigned char[]){
#embed "templates/sites-people.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-person.mustache", (const unsigned char[]){
#embed "templates/sites-person.mustache" suffix(,) if_empty()
    0}},
    {"templates/sites-shares.mustache", (const unsigned char[]){
#embed "templates/sites-shares.mustache" suffix(,) if_empty()
    0}},
    {"templates/tabs.mustache", (const unsigned char[]){
#embed "templates/tabs.mustache" suffix(,) if_empty()
    0}},
    {"templates/task.mustache", (const unsigned char[]){
#embed "templates/task.mustache" suffix(,) if_empty()
    0}},
    {"templates/telemetry.mustache", (const unsigned char[]){
#embed "templates/telemetry.mustache" suffix(,) if_empty()
    0}},
    {"templates/token.mustache", (const unsigned char[]){
#embed "templates/token.mustache" suffix(,) if_empty()
    0}},
    {"templates/upload.mustache", (const unsigned char[]){
#embed "templates/upload.mustache" suffix(,) if_empty()
    0}},
    {"templates/welcome.mustache", (const unsigned char[]){
#embed "templates/welcome.mustache" suffix(,) if_empty()
    0}},
#if __has_embed("vendor/land.svg")
    {"vendor/land.svg", (const unsigned char[]){
#embed "vendor/land.svg" suffix(,) if_empty()
    0}},
#endif
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
