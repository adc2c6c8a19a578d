#!/bin/bash
# Parts by GNU parallel, which also takes them to other machines (--sshlogin); here two at a time.
set -euo pipefail
here=$(dirname "$0")
source "$here/compare.sh"
export OMP_NUM_THREADS=1
parallel --jobs 2 "source '$here/compare.sh'; compare --part {}/$PARTS" ::: $(seq "$PARTS")
slmfit merge "$OUT"
compare
