#!/usr/bin/env bash
# Fails if `go generate` changes, adds or removes a file. It compares contents before and after, not with a commit, so that
# it also works in a tree with changes in progress.
set -euo pipefail
cd "$(dirname "$0")/.."

hashes() {
  find . \( -path ./.git -o -path ./.cache -o -path ./data \) -prune -o -type f -print0 |
    sort -z | xargs -0 sha256sum
}

before=$(hashes)
go generate ./...
after=$(hashes)

if ! changed=$(diff <(printf '%s\n' "$before") <(printf '%s\n' "$after")); then
  echo "generated files are not up to date; run make generate and look at:" >&2
  awk '/^[<>]/ {print "  " $3}' <<<"$changed" | sort -u >&2
  exit 1
fi
