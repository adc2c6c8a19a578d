#!/bin/bash
# Parts as processes of one machine: two at a time, each with its share of the cores.
set -euo pipefail
here=$(dirname "$0")
source "$here/compare.sh"
export OMP_NUM_THREADS=1
seq "$PARTS" | xargs -P 2 -I{} bash -c 'source "$0/compare.sh"; compare --part {}/'"$PARTS" "$here"
slmfit merge "$OUT"
compare
