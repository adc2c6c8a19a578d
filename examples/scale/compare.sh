# What is compared; the other files here read it. DATA, METHODS and OUT may be set from outside.
: "${DATA:=tickets.csv}" "${METHODS:=majority,linear,knn}" "${OUT:=compared}" "${PARTS:=4}" "${SEEDS:=1}"
compare() { slmfit compare "$DATA" --methods "$METHODS" --seeds "$SEEDS" --out "$OUT" "$@"; }
