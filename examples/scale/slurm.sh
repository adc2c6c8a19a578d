#!/bin/bash
# Parts as a Slurm array on a shared disk, then one job that joins and judges: bash slurm.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/compare.sh"
export DATA METHODS OUT PARTS SEEDS
array=$(sbatch --parsable --array="1-$PARTS" --cpus-per-task=2 --time=2:00:00 \
  --wrap="source '$here/compare.sh'; compare --part \$SLURM_ARRAY_TASK_ID/$PARTS")
sbatch --dependency="afterok:$array" --cpus-per-task=2 --time=0:30:00 \
  --wrap="source '$here/compare.sh'; slmfit merge '$OUT'; compare"
