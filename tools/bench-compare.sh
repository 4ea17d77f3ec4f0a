#!/usr/bin/env bash
# Benchmarks of two commits in turns, and their people under load, compared by benchstat.
#
#   tools/bench-compare.sh OLD [NEW [COUNT [BENCH [LOAD]]]]
#
# BENCH is a regexp for Go's benchmarks, LOAD one for the scenarios of sshload; "-" is none. Both commits are visited by the
# sshload of this tree, so that rows of the floors show what the machine did meanwhile: there is no other difference in them.
set -euo pipefail
cd "$(dirname "$0")/.."

old=${1:-} new=${2:-HEAD} count=${3:-6} bench=${4:-.} load=${5:--}
if [[ -z $old || ! $count =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: make bench-compare OLD=COMMIT [NEW=HEAD] [COUNT=6] [BENCH=REGEXP|-] [LOAD=REGEXP|-]" >&2
  exit 2
fi
dir=$PWD/.cache/compare
benchstat=$PWD/.cache/bin/benchstat

sides=(old new)
leave() {
  for side in "${sides[@]}"; do
    git worktree remove --force "$dir/$side" 2>/dev/null || true
  done
}
mkdir -p "$dir"
leave # what a run that was killed left
trap leave EXIT

# run DIR COMMAND runs a command in a folder, so that a signal to this script ends that, too, and at once.
run() {
  (cd "$1" && exec "${@:2}") &
  wait "$!"
}

# stop STATUS ends what runs, and everything.
stop() {
  trap '' INT TERM
  # shellcheck disable=SC2046 # each is a word
  kill -TERM $(jobs -p) 2>/dev/null || true
  wait
  echo "It was interrupted: nothing is compared." >&2
  exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

# packages prints the folders with benchmarks.
packages() { (cd "$1" && grep -rl --include='*_test.go' '^func Benchmark' . | xargs -r -n1 dirname | sort -u); }

for side in "${sides[@]}"; do
  commit=$(git rev-parse --verify --quiet "${!side}^{commit}") || { echo "there is no commit ${!side}" >&2; exit 2; }
  git worktree add --quiet --detach "$dir/$side" "$commit"
  rm -rf "$dir/$side.bin" && mkdir "$dir/$side.bin"
  : >"$dir/$side.txt"
  echo "== build ${!side}, $(git log -1 --format='%h %s' "$commit")" >&2
  run "$dir/$side" go build -o "$dir/$side.bin/sarangbang" .
  if [[ $bench != - ]]; then
    while read -r package; do
      run "$dir/$side" go test -c -o "$dir/$side.bin/${package//\//_}.test" "$package"
    done < <(packages "$dir/$side")
  fi
done
[[ $load == - ]] || run . go build -o "$dir/sshload" ./cmd/sshload

for ((n = 1; n <= count; n++)); do
  for side in "${sides[@]}"; do
    echo "== $n of $count: $side" >&2
    if [[ $bench != - ]]; then
      while read -r package; do
        run "$dir/$side/$package" "$dir/$side.bin/${package//\//_}.test" -test.run '^$' -test.bench "$bench" -test.benchmem >>"$dir/$side.txt"
      done < <(packages "$dir/$side")
    fi
    if [[ $load != - ]]; then
      run . "$dir/sshload" compare --server "$dir/$side.bin/sarangbang" --rounds 1 --only "$load" --bench >>"$dir/$side.txt"
    fi
  done
done
"$benchstat" "old=$dir/old.txt" "new=$dir/new.txt"
