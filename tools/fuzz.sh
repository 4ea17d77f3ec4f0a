#!/usr/bin/env bash
# Runs each fuzz target of the module for the given time (30s without one) and ends at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}

# `go test -list` prints the names of a package's targets, then "ok PACKAGE SECONDS".
targets=$(go test -list '^Fuzz' ./... |
  awk '/^Fuzz/ {names[n++] = $1} /^ok/ {for (i = 0; i < n; i++) print $2, names[i]; n = 0}')
if [[ -z $targets ]]; then
  echo "no fuzz target found" >&2
  exit 1
fi

while read -r package name; do
  echo "== $package $name ($time)"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x "$package"
done <<<"$targets"
