#include <spawn.h>

/* In glibc since 2.34, whose header shows it with _GNU_SOURCE only; Swift reads the header without. */
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
