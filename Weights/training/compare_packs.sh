#!/usr/bin/env bash
# The same prompts and seeds through float32, float16 and int8 packs of one checkpoint, judged and compared.
#
#   ./compare_packs.sh CHECKPOINT OUT [PER_CLASS] [JUDGE] [options of audioldm2 batch ...]
#
# Leaves OUT/prompts.tsv, OUT/NAME.aldm, OUT/NAME/NNN.wav and OUT/NAME.json for NAME in float32, float16, int8.
# Needs `swift build -c release` and what evaluate.py needs.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n 's/^# \{0,1\}//; 2,7p' "$0" >&2
    exit 64
fi
checkpoint=$1 out=$2 count=${3:-2} judge=${4:-forest}
shift $(($# < 4 ? $# : 4))
here=$(dirname "$0")
bin=$here/../../.build/release
python=${PYTHON:-python3}

mkdir -p "$out"
[ -e "$out/prompts.tsv" ] || "$python" "$here/evaluate.py" prompts "$out/prompts.tsv" --per-class "$count" --judge "$judge"
for weights in float32 float16 int8; do
    "$bin/audioldm2-convert" "$checkpoint" --output "$out/$weights.aldm" --weights "$weights" --quiet
    "$bin/audioldm2" batch "$out/prompts.jsonl" --model "$out/$weights.aldm" --output-dir "$out/$weights" "$@"
    "$python" "$here/evaluate.py" waves "$out/prompts.tsv" "$out/$weights" --against "$out/float32" \
        --per-class 4 --judge "$judge" >"$out/$weights.json"
done
