#!/bin/sh
# Follows a partner's feed with curl, as a supplier would: follow.sh URL HEADERS FOLDER
# HEADERS is a file with the line `Authorization: Bearer TOKEN`, so that the token stands in no list of processes.
# What each connection gave goes into a file of its own: what its last event lacks never comes.
url=$1 headers=$2 folder=$3
last="" count=1000
while :; do
    count=$((count + 1))
    # Ticks come every second: where nothing came for 5 s the connection is dead, whatever it looks like.
    curl --silent --no-buffer --speed-limit 1 --speed-time 5 --header "@$headers" --header "Last-Event-ID: $last" \
        --output "$folder/$count.sse" "$url"
    # Only an event that came whole, up to its empty line, was seen.
    seen=$(awk '/^id: / { id = substr($0, 5) } /^$/ && id != "" { seen = id } END { print seen }' \
        "$folder/$count.sse" 2>/dev/null)
    last=${seen:-$last}
    sleep 0.2
done
