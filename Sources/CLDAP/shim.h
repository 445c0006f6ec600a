#include <ldap.h>
#include <openldap.h>
#include <sys/time.h>

/* libldap's options take whatever their name says through one void pointer; these say what it is. */
static inline int tidegate_ldap_set_number(LDAP *ldap, int option, int value) {
    return ldap_set_option(ldap, option, &value);
}
static inline int tidegate_ldap_set_text(LDAP *ldap, int option, const char *value) {
    return ldap_set_option(ldap, option, value);
}
static inline int tidegate_ldap_set_seconds(LDAP *ldap, int option, long seconds) {
    struct timeval time = {.tv_sec = seconds, .tv_usec = 0};
    return ldap_set_option(ldap, option, &time);
}
static inline int tidegate_ldap_set_off(LDAP *ldap, int option) { return ldap_set_option(ldap, option, LDAP_OPT_OFF); }
static inline int tidegate_ldap_init_socket(int socket, const char *url, LDAP **ldap) {
    return ldap_init_fd(socket, LDAP_PROTO_TCP, url, ldap);
}
static inline int tidegate_ldap_bind(LDAP *ldap, const char *dn, const char *password, size_t length) {
    struct berval secret = {.bv_len = length, .bv_val = (char *)password};
    return ldap_sasl_bind_s(ldap, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}
static inline int tidegate_ldap_search(
    LDAP *ldap, const char *base, const char *filter, char **attributes, int most, long seconds, LDAPMessage **found) {
    struct timeval time = {.tv_sec = seconds, .tv_usec = 0};
    return ldap_search_ext_s(
        ldap, base, LDAP_SCOPE_SUBTREE, filter, attributes, 0, NULL, NULL, &time, most, found);
}
