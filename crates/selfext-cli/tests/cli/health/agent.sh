#!/bin/sh
# The agent. How it behaves is in the file behaviour, which it may rewrite. It is started with the commit that it was built from
# (COMMIT), with the process that ran before it (BEFORE), and with a folder of its host's (HOST).
behaviour=$(head -n 1 behaviour)

beat() { "$SELFEXT" heartbeat --github o/agent --commit "$COMMIT" --reporter "agent $$" "$@" > /dev/null 2>&1; }

# Answers what the probe asks: each question is the name of a pipe for the answer.
answer() {
    while read -r reply < "$HOST/questions"; do
        [ "$behaviour" = slow ] && sleep 3
        echo "{\"commit\": \"$COMMIT\"}" > "$reply"
    done
}

case $behaviour in
    keep-the-old) exit 0 ;;
    *) [ -z "$BEFORE" ] || kill -9 -"$BEFORE" ;;
esac
case $behaviour in
    crash) exit 1 ;;
    slow | probed) answer ;;
    hang) beat && beat && exec sleep 600 ;;
esac
beats=0
while :; do
    beats=$((beats + 1))
    # From here on the ledger is out of its reach. It goes on all the same.
    [ "$behaviour" = cut-off ] && [ $beats -gt 2 ] && export SELFEXT_DATABASE_URL=postgres://127.0.0.1:1/gone
    if [ "$behaviour" = errors ] && [ $beats -gt 2 ]; then
        beat --unhealthy --detail "request $beats failed"
    else
        beat
    fi
    sleep 0.5
done
