#!/bin/sh
# Tidegate's agent for small routers: enrols, renews, calls, does tasks and tells facts. Needs curl and openssl (3.0 or
# later, for Ed25519) and the usual small tools; runs under dash and busybox. docs/agent.md says how it is set up.
#
#   tidegate-agent.sh [-c FILE] [run | call | reset-pin]
#
# FILE is /etc/tidegate-agent/agent.conf: lines of `key = value` with server, tenant, device, token, server-ca, proxy,
# state, tasks and task-timeout, as the large agent reads them; other keys are left aside.
set -u
umask 077
export LC_ALL=C
VERSION=0.1.0 CONFIG=/etc/tidegate-agent/agent.conf ANSWER_BYTES=1048576 DETAILS=20 worker='' failures=0

say() { printf '%s\n' "$*" >&2; }
die() { say "tidegate-agent: $*"; exit 1; }
setting() { # setting KEY DEFAULT
    value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$CONFIG" | sed 's/[[:space:]]*$//' | head -n 1)
    printf '%s' "${value:-$2}"
}

load() {
    [ -r "$CONFIG" ] || die "$CONFIG can not be read"
    SERVER=$(setting server '') TENANT=$(setting tenant '') DEVICE=$(setting device '') TOKEN=$(setting token '')
    SERVER_CA=$(setting server-ca '') PROXY=$(setting proxy '') STATE=$(setting state /var/lib/tidegate-agent)
    TASKS=$(setting tasks /etc/tidegate-agent/tasks.d) TASK_TIMEOUT=$(setting task-timeout 3600)
    if [ -z "$SERVER" ] || [ -z "$TENANT" ] || [ -z "$DEVICE" ]; then die "server, tenant and device must be set"; fi
    case $TENANT$DEVICE in *[!A-Za-z0-9._:-]*) die "tenant and device have letters, digits and ._:- alone" ;; esac
    case $TASK_TIMEOUT in '' | *[!0-9]*) die "task-timeout is a number of seconds" ;; esac
    case $SERVER in *:*) ;; *) SERVER=$SERVER:8444 ;; esac
    mkdir -p "$STATE/open" || exit 1
    WORK=$(mktemp -d "$STATE/work.XXXXXX") || exit 1
    # What is secret comes to curl by files: arguments stand in the list of processes.
    [ -z "$PROXY" ] || printf 'proxy = "%s"\n' "$(printf '%s' "$PROXY" | sed 's/[\\"]/\\&/g')" >"$WORK/proxy"
    trap 'rm -rf "$WORK"' EXIT
    trap 'exit 0' INT TERM
}

# Two agents with one state would do a task twice. A lock is its owner's for as long as that process lives: the same
# number, begun at the same moment, in the same run of the device.
process() { echo "$1 $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20) $(cat /proc/sys/kernel/random/boot_id)"; }
lock() {
    LOCK=$STATE/lock.d ME=$(process $$)
    until mkdir "$LOCK" 2>/dev/null; do
        owner=$(cat "$LOCK/owner" 2>/dev/null)
        # Between making the lock and writing into it lies a moment.
        [ -n "$owner" ] || { sleep 2; owner=$(cat "$LOCK/owner" 2>/dev/null); }
        [ -z "$owner" ] || [ "$owner" != "$(process "${owner%% *}")" ] || die "another agent runs with this state"
        # One alone can move it away; whoever moved a younger one gives up, and its owner sees that it is gone.
        mv "$LOCK" "$WORK/stale" 2>/dev/null || continue
        [ "$(cat "$WORK/stale/owner" 2>/dev/null)" = "$owner" ] || die "another agent starts with this state"
        rm -rf "$WORK/stale"
    done
    echo "$ME" >"$LOCK/owner" || exit 1
    # What one that was killed left.
    for left in "$STATE"/work.*; do [ "$left" = "$WORK" ] || rm -rf "$left"; done
    trap '[ -z "$worker" ] || kill "$worker"; rm -rf "$WORK"; ! mine || rm -rf "$LOCK"' EXIT
}
mine() { [ "$(cat "$LOCK/owner" 2>/dev/null)" = "$ME" ]; }
# keep FILE: puts standard input in the place of FILE, whole or not at all, and on disk.
keep() { cat >"$1.new" && sync && mv "$1.new" "$1" && sync; }

# The certificate that vouches for the server is copied at first use and counts from then on.
pin() {
    [ -s "$STATE/server-ca.pem" ] && return 0
    [ -s "$SERVER_CA" ] || die "server-ca is missing: the certificate that vouches for the server"
    keep "$STATE/server-ca.pem" <"$SERVER_CA"
}

# ask PATH [CURL OPTION…]: the body goes to $WORK/answer, the HTTP status to STATUS; 0 when there was no answer.
ask() {
    path=$1; shift
    [ -z "$PROXY" ] || set -- "$@" --config "$WORK/proxy"
    # Who enrols has no certificate, or one that is over.
    [ "${path##*/}" = simpleenroll ] || [ ! -s "$STATE/maintenance.pem" ] ||
        set -- "$@" --cert "$STATE/maintenance.pem" --key "$STATE/maintenance.pem"
    : >"$WORK/answer"
    STATUS=$(curl --silent --proto =https --cacert "$STATE/server-ca.pem" --connect-timeout 10 --max-time 120 \
        --max-filesize "$ANSWER_BYTES" --output "$WORK/answer" --write-out '%{http_code}' "$@" \
        "https://$SERVER$path") || STATUS=0
    [ "$STATUS" = 200 ] || [ "$STATUS" = 204 ]
}

# est OPERATION [CURL OPTION…]: a certificate for a new key. The key is kept before it is asked for, so that an answer
# which is lost costs no second one; key and certificate are one file, so that they always fit.
est() {
    operation=$1 pending=$STATE/pending.key; shift
    [ -s "$pending" ] || openssl ecparam -name prime256v1 -genkey -noout | keep "$pending"
    openssl req -new -key "$pending" -subj "/CN=$DEVICE" -outform DER | openssl base64 >"$WORK/request" || return 1
    if ! ask "/$TENANT/.well-known/est/$operation" --user-agent "tidegate-agent.sh/$VERSION" \
        --header 'Content-Type: application/pkcs10' --data-binary "@$WORK/request" "$@"; then
        say "$operation was answered $STATUS"
        return 1
    fi
    openssl base64 -d <"$WORK/answer" | openssl pkcs7 -inform DER -print_certs 2>/dev/null |
        openssl x509 >"$WORK/certificate" 2>/dev/null || return 1
    [ "$(openssl pkey -in "$pending" -pubout)" = "$(openssl x509 -in "$WORK/certificate" -noout -pubkey)" ] || return 1
    cat "$pending" "$WORK/certificate" | keep "$STATE/maintenance.pem" && rm -f "$pending"
}

enrol() {
    [ -n "$TOKEN" ] || die "there is no certificate, and no token for one"
    printf 'user = "%s:%s"\n' "$DEVICE" "$TOKEN" >"$WORK/user"
    est simpleenroll --config "$WORK/user" && say "enrolled"
}

# At two thirds of its life. The months' names are openssl's, and date understands them or busybox's date is told how.
seconds() { date -u -d "$1" +%s 2>/dev/null || date -u -D '%b %d %T %Y' -d "${1% GMT}" +%s; }
renew_if_due() {
    begins=$(seconds "$(openssl x509 -in "$STATE/maintenance.pem" -noout -startdate | cut -d= -f2)") || return 0
    ends=$(seconds "$(openssl x509 -in "$STATE/maintenance.pem" -noout -enddate | cut -d= -f2)") || return 0
    [ "$(date +%s)" -lt $(((begins + ends * 2) / 3)) ] || renew
}

renew() { est simplereenroll && say "renewed the certificate"; }
# The identifier in tidegate://TENANT.DEPLOYMENT/device/ID, to which tasks are addressed.
identifier() {
    openssl x509 -in "$STATE/maintenance.pem" -noout -ext subjectAltName |
        sed -n 's,.*URI:tidegate://[^/]*/device/\([0-9a-fA-F-]*\).*,\1,p'
}

# Just as much as the protocol needs. `json` writes one line for each value, its path before it: `.tasks[0].id 11`.
# Strings stay as they are written, quotes and escapes included, so nothing in them can be taken for something else.
json() {
    awk '
    function fail() { exit 1 }
    function space() { while (substr(text, at, 1) ~ /[ \t\r\n]/) at++ }
    function quoted(   start, c) {
        start = at
        if (substr(text, at, 1) != "\"") fail()
        for (at++; (c = substr(text, at, 1)) != "\""; at++) {
            if (c == "" || c == "\n") fail()
            if (c == "\\") at++
        }
        return substr(text, start, ++at - start)
    }
    function value(path, depth,   c, n, key, start) {
        if (depth > 24) fail()
        space()
        c = substr(text, start = at, 1)
        if (c == "{" || c == "[") {
            at++; space()
            if (substr(text, at, 1) != (c == "{" ? "}" : "]"))
                for (n = 0; ; n++) {
                    space()
                    if (c == "{") {
                        key = quoted(); space()
                        if (substr(text, at++, 1) != ":") fail()
                        key = "." substr(key, 2, length(key) - 2)
                    } else key = "[" n "]"
                    # A member that comes twice could be read in two ways.
                    if ((path key) in seen) fail()
                    seen[path key] = 1
                    value(path key, depth + 1); space()
                    if (substr(text, at, 1) != ",") break
                    at++
                }
            if (substr(text, at++, 1) != (c == "{" ? "}" : "]")) fail()
        } else if (c == "\"") quoted()
        else {
            while (substr(text, at, 1) ~ /[-+.0-9a-zA-Z]/) at++
            if (at == start) fail()
        }
        print path " " (c == "{" || c == "[" ? c : substr(text, start, at - start))
    }
    { text = text (NR > 1 ? "\n" : "") $0 }
    END { at = 1; value("", 0); space(); exit at <= length(text) }'
}

# get PATH: the value at a path in the output of json on standard input, as it is written.
get() { awk -v path="$1" 'index($0, path " ") == 1 { print substr($0, length(path) + 2); exit }'; }
# plain: a string without its quotes, if it holds nothing that needs an escape; anything else is nothing.
plain() { sed -n 's/^"\([^"\\]*\)"$/\1/p'; }
# quote: standard input's last lines as a JSON array of texts; what would need an escape is written otherwise.
quote() {
    tail -n "$DETAILS" | tr -cd '\012\040-\176' | tr '\\"' "/'" | cut -c1-500 |
        awk '{ printf "%s\"%s\"", (NR > 1 ? "," : "["), $0 } END { print NR ? "]" : "[]" }'
}
unbase64url() { awk '{ gsub(/-/, "+"); gsub(/_/, "/"); while (length($0) % 4) $0 = $0 "="; print }' | openssl base64 -d -A; }

# The public key of this name, as PEM; an Ed25519 key is 32 bytes behind a fixed head (RFC 8410).
public_key() {
    [ -s "$STATE/keys.json" ] && json <"$STATE/keys.json" >"$WORK/keys" || return 1
    key=$(awk -v kid="\"$1\"" '
        $1 ~ /^\.keys\[[0-9]+\]\.kid$/ && $2 == kid { print substr($1, 1, length($1) - 4); exit }' "$WORK/keys")
    [ "$(get "$key.crv" <"$WORK/keys" | plain)" = Ed25519 ] || return 1
    {
        printf '\060\052\060\005\006\003\053\145\160\003\041\000'
        get "$key.x" <"$WORK/keys" | plain | unbase64url
    } | openssl pkey -pubin -inform DER -out "$WORK/key.pem" 2>/dev/null
}

# opened JWS TYP: what a known key has signed goes to $WORK/payload; REASON says why it is refused.
opened() {
    REASON=malformed
    case $1 in *.*.*.* | *[!A-Za-z0-9._-]*) return 1 ;; *.*.*) ;; *) return 1 ;; esac
    head=${1%%.*} signature=${1##*.} body=${1#*.}; body=${body%.*}
    printf '%s' "$head" | unbase64url | json >"$WORK/head" || return 1
    [ "$(get .alg <"$WORK/head")" = '"EdDSA"' ] && [ "$(get .typ <"$WORK/head")" = "\"$2\"" ] &&
        [ -z "$(get .crit <"$WORK/head")" ] || return 1
    kid=$(get .kid <"$WORK/head" | plain)
    [ -n "$kid" ] || return 1
    REASON=unknownKey; public_key "$kid" || return 1
    REASON=forged; printf '%s' "$signature" | unbase64url >"$WORK/signature"
    printf '%s.%s' "$head" "$body" >"$WORK/signed"
    openssl pkeyutl -verify -pubin -inkey "$WORK/key.pem" -rawin -in "$WORK/signed" -sigfile "$WORK/signature" \
        >/dev/null 2>&1 && printf '%s' "$body" | unbase64url >"$WORK/payload"
}

# The first keys count as they come. A later one counts when the one before it has signed it, so that whoever has the
# server's TLS key, and not the tenant's, orders nothing.
learn() {
    ask "/$TENANT/maintenance-keys" && json <"$WORK/answer" >"$WORK/shown" || return 1
    [ -s "$STATE/keys.json" ] ||
        { ! grep -q '^\.keys\[0\]\.kid ' "$WORK/shown" || keep "$STATE/keys.json" <"$WORK/answer"; return; }
    v=0
    while [ "$v" -lt 64 ] && voucher=$(get ".vouchers[$v]" <"$WORK/shown" | plain) && [ -n "$voucher" ]; do
        if opened "$voucher" tidegate-keys+jws; then
            json <"$WORK/payload" >"$WORK/fresh" || return 1
            public_key "$(get ".keys[0].kid" <"$WORK/fresh" | plain)" || keep "$STATE/keys.json" <"$WORK/payload" || return 1
        fi
        v=$((v + 1))
    done
}

# verify JWS: what is signed goes to $WORK/payload and its values to $WORK/task; REASON says why it is refused.
verify() {
    if ! opened "$1" tidegate-task+jws; then
        [ "$REASON" = unknownKey ] || return 1
        learn || { REASON=later; return 1; }
        opened "$1" tidegate-task+jws || return 1
    fi
    REASON=malformed; json <"$WORK/payload" >"$WORK/task" || return 1
    sequence=$(get .sequence <"$WORK/task") expires=$(get .expires <"$WORK/task")
    task=$(get .id <"$WORK/task") type=$(get .type <"$WORK/task" | plain)
    for number in "$sequence" "$expires" "$task"; do
        case $number in '' | *[!0-9]* | ???????????????????*) return 1 ;; esac
    done
    case $type in '' | *[!A-Za-z0-9-]*) return 1 ;; esac
    REASON=otherTenant; [ "$(get .tenant <"$WORK/task")" = "\"$TENANT\"" ] || return 1
    REASON=otherDevice; [ "$(get .device <"$WORK/task")" = "\"$(identifier)\"" ] || return 1
    REASON=expired; [ "$expires" -gt "$(date +%s)" ] || return 1
    REASON=replayed; [ "$sequence" -gt "$(cat "$STATE/sequence" 2>/dev/null || echo 0)" ] || return 1
    REASON=
}

# tell ID STATE [CODE [DETAILS]]: as it was told before is told again until the server has answered.
tell() {
    printf '{"state":"%s","code":%s,"details":%s}' "$2" "${3:-null}" "${4:-[]}" >"$WORK/status"
    ask "/$TENANT/tasks/$1/status" --header 'Content-Type: application/json' --data-binary "@$WORK/status" || unwanted
}
unwanted() { [ "$STATUS" = 404 ] || [ "$STATUS" = 410 ]; }

# A task stands in the directory $STATE/open/ID from before anything is done for it until the server knows its end:
# `task` is what is signed, `state` is begun, again or ended, `outcome` what is told.
finish() { # finish DIRECTORY STATE CODE DETAILS
    printf '%s\n%s\n%s\n' "$2" "$3" "$4" | keep "$1/outcome"
    echo ended | keep "$1/state"
}

do_task() { # do_task DIRECTORY AGAIN
    id=${1##*/} type=$(json <"$1/task" | get .type | plain)
    if [ "$2" = 0 ]; then
        # While it waited its time may have ended at the server, which then gives it out anew. No answer: it waits.
        tell "$id" running || return 0
        if unwanted; then say "a task is not wanted any more: $id"; rm -rf "$1"; return; fi
    fi
    echo begun | keep "$1/state" || return
    : >"$WORK/said"
    case $type in
    wake) code=0 ;;
    synchronise) rm -f "$STATE/told"; code=0 ;;
    renewCertificate | rotateKeys) renew >"$WORK/said" 2>&1; code=$? ;;
    *)
        program=$(find -L "$TASKS/$type" -prune -type f -perm -100 ! -perm -020 ! -perm -002 \
            \( -user 0 -o -user "$(id -u)" \) 2>/dev/null)
        if [ -n "$program" ]; then
            TIDEGATE_TASK_ID=$id TIDEGATE_TASK_TYPE=$type TIDEGATE_TASK_AGAIN=$2 TIDEGATE_STATE=$STATE \
                timeout -k 10 "$TASK_TIMEOUT" "$program" <"$1/task" >"$WORK/said" 2>&1 &
            worker=$! waited=0
            # The server must not take a device for lost that is busy.
            while sleep 1 && kill -0 "$worker" 2>/dev/null; do
                waited=$((waited + 1))
                [ $((waited % 30)) != 0 ] || ask "/$TENANT/heartbeat" || say "a call was answered $STATUS"
            done
            wait "$worker"
            code=$? worker=
        else
            code=77; echo "there is no program for it" >"$WORK/said"
        fi ;;
    esac
    details=$(grep -v '^progress [0-9]* [0-9]*$' "$WORK/said" | quote)
    case $code in
    0) finish "$1" succeeded 0 "$details" ;;
    75) echo again | keep "$1/state" ;;
    77) finish "$1" refused 77 "$details" ;;
    *) finish "$1" failed "$code" "$details" ;;
    esac
}

tell_outcomes() {
    for directory in "$STATE"/open/*; do
        [ "$(cat "$directory/state" 2>/dev/null)" = ended ] || continue
        { read -r word; read -r code; read -r details; } <"$directory/outcome"
        tell "${directory##*/}" "$word" "$code" "$details" || return 1
        rm -rf "$directory"
    done
}

# What an earlier run had begun: asked again when it wanted so, else nobody knows how far it went.
resume() {
    for directory in "$STATE"/open/*; do
        case $(cat "$directory/state" 2>/dev/null) in
        again) do_task "$directory" 1 ;;
        begun) finish "$directory" failed null '["the agent was interrupted; how far the task went is not known"]' ;;
        taken | ended) ;;
        *) [ ! -d "$directory" ] || rm -rf "$directory" ;;
        esac
    done
}

take() { # take JWS PLAIN-ID
    if ! verify "$1"; then
        # It comes again.
        [ "$REASON" != later ] || return
        say "refused a task: $REASON"
        refused=$(($(cat "$STATE/refused" 2>/dev/null || echo 0) + 1))
        echo "$refused" | keep "$STATE/refused"
        case $2 in '' | *[!0-9]*) return ;; esac
        [ -d "$STATE/open/$2" ] || tell "$2" refused null "[\"the envelope is refused: $REASON\"]"
        return
    fi
    directory=$STATE/open/$task
    if [ "$(get .cancel <"$WORK/task")" = true ]; then
        echo "$sequence" | keep "$STATE/sequence" || return
        # Tasks are done one after the other within a call, so what stands open waits for a restart or to be told.
        if [ "$(cat "$directory/state" 2>/dev/null)" = again ]; then finish "$directory" cancelled null '[]'; fi
        [ -d "$directory" ] || tell "$task" cancelled
        return
    fi
    [ -d "$directory" ] || {
        mkdir "$directory" && keep "$directory/task" <"$WORK/payload" && echo taken | keep "$directory/state" || return
    }
    echo "$sequence" | keep "$STATE/sequence" || return
    [ "$(cat "$directory/state")" != taken ] || do_task "$directory" 0
}

tell_facts() {
    memory=$(awk '/^MemTotal:/ { print $2 * 1024 }' /proc/meminfo 2>/dev/null)
    printf '{"agent":{"version":"%s","kind":"shell","refused":{"all":%s}},"host":{"kernel":"%s","memory":%s}}' "$VERSION" \
        "$(cat "$STATE/refused" 2>/dev/null || echo 0)" "$(uname -r | tr -cd 'A-Za-z0-9._+~-')" "${memory:-null}" >"$WORK/facts"
    cmp -s "$WORK/facts" "$STATE/told" && return
    ask "/$TENANT/reported" --header 'Content-Type: application/json' --data-binary "@$WORK/facts" &&
        keep "$STATE/told" <"$WORK/facts"
}

# One call; PAUSE is for how long the server wants no other.
call() {
    PAUSE=60
    mine || die "another agent took this state over"
    # One that is over opens nothing; with a new token the device begins anew.
    if [ ! -s "$STATE/maintenance.pem" ] ||
        { [ -n "$TOKEN" ] && ! openssl x509 -checkend 0 -noout -in "$STATE/maintenance.pem" >/dev/null; }; then
        enrol || [ -s "$STATE/maintenance.pem" ] || return 1
    fi
    renew_if_due
    [ -s "$STATE/keys.json" ] || learn || say "the keys could not be had: $STATUS"
    tell_outcomes || return 1
    ask "/$TENANT/heartbeat" || { say "a call was answered $STATUS"; return 1; }
    json <"$WORK/answer" >"$WORK/call" || return 1
    pause=$(get .pause <"$WORK/call")
    case $pause in '' | *[!0-9]* | ??????*) ;; *) PAUSE=$pause ;; esac
    for directory in "$STATE"/open/*; do
        [ "$(cat "$directory/state" 2>/dev/null)" != taken ] || do_task "$directory" 0
    done
    n=0
    while [ "$n" -lt 8 ] && grep -q "^\.tasks\[$n\] " "$WORK/call"; do
        take "$(get ".tasks[$n].signed" <"$WORK/call" | plain)" "$(get ".tasks[$n].id" <"$WORK/call")"
        n=$((n + 1))
    done
    tell_outcomes && tell_facts
}

run() {
    while :; do
        # After a failure doubled, up to about four minutes.
        if call; then failures=0; else failures=$((failures < 8 ? failures + 1 : 8)); PAUSE=$((1 << failures)); fi
        sleep "$PAUSE" & wait $!
    done
}

while getopts c: option; do case $option in c) CONFIG=$OPTARG ;; *) exit 64 ;; esac; done
shift $((OPTIND - 1))
load
case ${1:-run} in
run) lock && pin && resume && run ;;
call) lock && pin && resume && call ;;
reset-pin) rm -f "$STATE/server-ca.pem" "$STATE/keys.json" ;;
*) die "one of run, call, reset-pin" ;;
esac
